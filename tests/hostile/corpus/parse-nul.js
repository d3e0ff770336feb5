// attack: Has NUL bytes and lone surrogate escapes in it.
// limit: none
// ends: output 4
export default () => "a\u0000b\ud800".length;
