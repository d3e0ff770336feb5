// attack: Matches by an exec of its own that always finds one more.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => RegExp.prototype[Symbol.match].call({ flags: "g", exec: () => ["a"], lastIndex: 0 }, "a");
