// attack: Throws an error whose message needs more stack than there is.
// limit: none
// ends: function_error/thrown
export default () => { const deep = () => deep() + 1; throw { get message() { return deep(); }, get stack() { return deep(); } }; };
