// attack: The module waits for what can never come.
// limit: none
// ends: load_error/never_settled
await new Promise(() => {});
export default () => 1;
