// Prints nothing, for ever.
export default () => { for (;;) console.log(""); };
