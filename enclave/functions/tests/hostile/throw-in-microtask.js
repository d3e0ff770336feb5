// Throws in a microtask while the handler waits.
export default () => new Promise(() => { queueMicrotask(() => { throw new TypeError("late"); }); });
