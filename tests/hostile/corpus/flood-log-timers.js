// attack: Prints in timers for as long as it may.
// limit: wall
// ends: timeout
export default () => new Promise(() => { setInterval(() => { for (let i = 0; i < 100; i++) console.log("tick", i); }, 1); });
