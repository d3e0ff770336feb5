// attack: Shortens an array of four thousand million holes, over and over.
// limit: cpu
// ends: cpu_limit
// ends: output 0
export default () => { const a = [1]; for (let i = 0; i < 100; i++) { a.length = 2 ** 32 - 1; a[2 ** 32 - 2] = 1; a.length = 0; } return a.length; };
