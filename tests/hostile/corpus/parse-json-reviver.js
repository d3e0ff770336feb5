// attack: Parses JSON whose reviver puts more under what is visited next.
// limit: none
// ends: function_error/thrown
export default () => JSON.parse("[0,0]", function (key, value) { if (key === "0") this[1] = [0, 0]; return value; });
