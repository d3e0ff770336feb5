// attack: Throws an error that is its own cause.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("x"); e.cause = e; e.errors = [e]; throw e; };
