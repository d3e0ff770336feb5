// Evaluates a million parentheses.
export default () => eval("(".repeat(1_000_000) + ")".repeat(1_000_000));
