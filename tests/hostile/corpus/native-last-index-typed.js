// attack: Compares large buffers element by element through every.
// limit: cpu
// ends: cpu_limit
export default () => { const a = new Float64Array(2 ** 20); for (;;) a.every(Object.is.bind(null, 0)); };
