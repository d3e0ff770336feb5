// Returns five million characters.
export default () => "x".repeat(5_000_000);
