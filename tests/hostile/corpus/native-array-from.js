// attack: Makes an array of the greatest length there is.
// limit: none
// ends: function_error/thrown
export default () => Array.from({ length: 2 ** 53 - 1 }).length;
