// Compiles a million negations.
export default () => eval("- ".repeat(1_000_000) + "1");
