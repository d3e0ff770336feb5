// attack: Starts a timer with code as text.
// limit: none
// ends: function_error/thrown
export default () => setTimeout("throw 1", 0);
