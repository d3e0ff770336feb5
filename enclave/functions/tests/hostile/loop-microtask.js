// Each microtask queues the next.
export default () => new Promise(() => { const again = () => queueMicrotask(again); again(); });
