// attack: Makes as many calls as may wait, none of which is answered, and more behind them.
// limit: wall
// ends: timeout
export default () => Promise.all(Array.from({ length: 90 }, () => r3e.store.get("hang")));
