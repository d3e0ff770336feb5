// attack: Waits for a minute as it loads.
// limit: wall
// ends: timeout
await new Promise((resolve) => setTimeout(resolve, 60_000));
export default () => 1;
