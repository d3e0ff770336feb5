// attack: Exports a function of the host's.
// limit: none
// ends: function_error/thrown
export default r3e.secrets.get;
