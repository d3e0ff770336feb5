// attack: Resolves with a thenable that makes host calls before it settles.
// limit: none
// ends: output "inner"
export default () => ({ then(resolve) { r3e.store.get("k").then(() => resolve({ then: (r) => r("inner") })); } });
