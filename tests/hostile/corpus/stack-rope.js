// attack: Flattens a text that was put together at both ends.
// limit: cpu
// ends: output 400000
// ends: function_error/thrown
// ends: memory_limit
// ends: cpu_limit
export default () => { let s = ""; for (let i = 0; i < 200_000; i++) s = i % 2 ? s + "ab" : "ab" + s; return s.replace(/c/g, "").length; };
