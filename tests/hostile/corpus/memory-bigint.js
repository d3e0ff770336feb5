// attack: A power beyond all memory.
// limit: none
// ends: function_error/thrown
export default () => (2n ** (2n ** 40n)).toString().length;
