// Returns half a character.
export default () => "\ud800";
