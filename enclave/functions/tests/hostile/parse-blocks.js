// Compiles a million blocks.
export default () => new Function("{".repeat(1_000_000));
