// attack: A thenable that resolves to itself, again and again.
// limit: cpu
// ends: cpu_limit
export default () => ({ then(resolve) { resolve({ then: this.then }); } });
