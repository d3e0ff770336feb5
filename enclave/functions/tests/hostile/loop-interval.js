// Waits for a promise that nothing settles, behind an interval that keeps it alive.
export default () => new Promise(() => { setInterval(() => {}, 1); });
