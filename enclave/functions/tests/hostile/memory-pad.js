// Pads a string to the greatest length, over and over.
export default () => { const all = []; for (;;) all.push("x".padEnd(2 ** 27, "yz")); };
