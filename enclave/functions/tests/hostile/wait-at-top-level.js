// The module waits for what can never come.
await new Promise(() => {});
export default () => 1;
