// attack: Keeps responses with large bodies.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default async () => { const all = []; for (;;) all.push(await new Response("x".repeat(1_000_000)).arrayBuffer()); };
