// attack: Returns keys that are empty or control characters.
// limit: none
// ends: output {"\u0000":"\u0000","":"\u001f"}
export default () => ({ "\u0000": "\u0000", "": "\u001f" });
