// attack: Stops an interval in its own callback, and starts it again.
// limit: none
// ends: output 3
export default () => new Promise((resolve) => { let n = 0; const tick = () => { clearInterval(id); if (++n === 3) resolve(n); else id = setInterval(tick, 0); }; let id = setInterval(tick, 0); });
