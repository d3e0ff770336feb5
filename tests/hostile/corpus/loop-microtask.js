// attack: Each microtask queues the next.
// limit: cpu
// ends: cpu_limit
export default () => new Promise(() => { const again = () => queueMicrotask(again); again(); });
