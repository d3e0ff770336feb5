// Throws an error of twenty million characters.
export default () => { throw new Error("x".repeat(20_000_000)); };
