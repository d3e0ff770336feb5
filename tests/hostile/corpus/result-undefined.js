// attack: Returns nothing.
// limit: none
// ends: output null
export default () => {};
