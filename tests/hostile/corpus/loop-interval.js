// attack: Waits for a promise that nothing settles, behind an interval that keeps it alive.
// limit: wall
// ends: timeout
export default () => new Promise(() => { setInterval(() => {}, 1); });
