// attack: Replaces its own export while it runs.
// limit: none
// ends: output 1
let handler = () => { handler = () => { throw new Error("mine now"); }; return 1; };
export { handler as default };
