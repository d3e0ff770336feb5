// Throws in a timer while the handler waits.
export default () => new Promise(() => { setTimeout(() => { throw new TypeError("late"); }, 1); });
