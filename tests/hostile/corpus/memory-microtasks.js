// attack: Queues microtasks without end.
// limit: none
// ends: memory_limit
export default () => { for (;;) queueMicrotask(() => 1); };
