// attack: Keeps a thousand intervals ticking.
// limit: wall
// ends: timeout
// ends: cpu_limit
export default () => new Promise(() => { for (let i = 0; i < 1000; i++) setInterval(() => {}, 1); });
