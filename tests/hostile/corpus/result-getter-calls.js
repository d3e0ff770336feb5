// attack: Returns an object whose getter makes a host call.
// limit: none
// ends: output {"a":{}}
export default () => ({ get a() { return r3e.store.get("k"); } });
