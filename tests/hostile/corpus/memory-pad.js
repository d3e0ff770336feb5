// attack: Pads a string to the greatest length, over and over.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) all.push("x".padEnd(2 ** 27, "yz")); };
