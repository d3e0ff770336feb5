// attack: Throws an error of control characters and of JSON.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("\u0000\u001b[2J\r\n\"}],{"); e.name = "\u0000"; throw e; };
