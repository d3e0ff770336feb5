// Prints for ever.
export default () => { for (;;) console.log("x".repeat(100)); };
