// Parses ten million brackets.
export default () => JSON.parse("[".repeat(10_000_000));
