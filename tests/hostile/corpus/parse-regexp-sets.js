// attack: Compiles character classes of all code points, subtracted from one another.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
// ends: memory_limit
export default () => { for (;;) new RegExp("[\\p{L}--[\\p{Lu}--[\\p{Lt}]]]".repeat(50), "v").test("\u00e9"); };
