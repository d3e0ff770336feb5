// attack: Races a call that is never answered against a longer timer.
// limit: wall
// ends: timeout
export default () => Promise.race([r3e.store.get("hang"), new Promise((resolve) => setTimeout(resolve, 50_000))]);
