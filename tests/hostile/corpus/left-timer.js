// attack: Leaves a timer that would see the next event.
// limit: none
// ends: output []
// again: same
const seen = [];
export default async () => { const found = [...seen]; setInterval(() => seen.push("tick"), 1); await new Promise((resolve) => setTimeout(resolve, 5)); return found; };
