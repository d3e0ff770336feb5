// Evaluates a million brackets.
export default () => eval("[".repeat(1_000_000));
