// attack: Backtracks without regard to case over code points.
// limit: cpu
// ends: cpu_limit
export default () => /^(?:[^\u{10000}-\u{10ffff}]+)+$/iu.test("\u00e9".repeat(40) + "\u{1f600}");
