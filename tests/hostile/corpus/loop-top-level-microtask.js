// attack: Queues microtasks for ever as it loads.
// limit: cpu
// ends: cpu_limit
const again = () => queueMicrotask(again);
again();
export default () => 1;
