// attack: Does not parse.
// limit: none
// ends: load_error/module
export default () => {
