// attack: Returns keys and texts of half characters.
// limit: none
// ends: output {"\udc00":["\ud800","\udfff\ud800"]}
export default () => ({ "\udc00": ["\ud800", "\udfff\ud800"] });
