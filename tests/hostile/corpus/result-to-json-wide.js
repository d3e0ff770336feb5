// attack: Its JSON form doubles at every level.
// limit: cpu
// ends: memory_limit
// ends: output_limit
// ends: cpu_limit
const node = (n) => ({ toJSON: () => n === 0 ? 0 : [node(n - 1), node(n - 1)] });
export default () => node(100);
