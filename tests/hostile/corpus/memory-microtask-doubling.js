// attack: Has each microtask queue two.
// limit: cpu
// ends: memory_limit
// ends: cpu_limit
export default () => new Promise(() => { const twice = () => { queueMicrotask(twice); queueMicrotask(twice); }; twice(); });
