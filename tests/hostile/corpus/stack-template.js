// attack: Tags templates by a function that tags again.
// limit: none
// ends: function_error/thrown
export default () => { const tag = (s) => tag`${s}`; return tag`x`; };
