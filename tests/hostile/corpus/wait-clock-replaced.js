// attack: Stops the clock that it sees, and waits by it.
// limit: cpu
// ends: cpu_limit
export default () => { Date.now = () => 0; const D = Date; globalThis.Date = class extends D { static now() { return 0; } }; while (Date.now() < 1); };
