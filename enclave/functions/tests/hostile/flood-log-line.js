// Prints one line of ten million characters.
export default () => { console.log("x".repeat(10_000_000)); return "printed"; };
