// attack: Takes every return back by a finally block that goes on.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) { try { return 1; } finally { continue; } } };
