// attack: Returns half a character.
// limit: none
// ends: output "\ud800"
export default () => "\ud800";
