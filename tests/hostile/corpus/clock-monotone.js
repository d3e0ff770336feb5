// attack: Looks for a clock that goes back.
// limit: none
// ends: output true
export default () => { let last = 0; for (let i = 0; i < 20_000; i++) { const now = Date.now(); if (now < last) return false; last = now; } return last > 1_600_000_000_000; };
