// attack: Lets calls that are never answered pile up behind ones that are.
// limit: wall
// ends: timeout
// ends: host_call_limit
export default async () => { for (;;) { r3e.store.get("hang"); await new Promise((resolve) => setTimeout(resolve, 1)); } };
