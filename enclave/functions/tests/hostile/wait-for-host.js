// A host call that is never answered.
export default () => r3e.store.get("hang");
