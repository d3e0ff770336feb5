// attack: Begins with marks that are no characters.
// limit: none
// ends: output 1
export default () => { return "\ufeff\u200b\u2028".length - 2; };
