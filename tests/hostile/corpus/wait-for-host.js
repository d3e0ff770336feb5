// attack: A host call that is never answered.
// limit: wall
// ends: timeout
export default () => r3e.store.get("hang");
