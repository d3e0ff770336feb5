// attack: Starts timers, each of which holds memory.
// limit: none
// ends: memory_limit
export default () => { for (let i = 0; i < 9_000; i++) { const held = new Array(10_000).fill(i); setTimeout(() => held, 1_000_000); } return new Promise(() => {}); };
