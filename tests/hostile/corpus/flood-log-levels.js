// attack: Prints on every level for ever.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) for (const level of ["debug", "log", "info", "warn", "error", "trace"]) console[level]("x".repeat(50)); };
