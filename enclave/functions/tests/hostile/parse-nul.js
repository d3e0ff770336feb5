// Has NUL bytes and lone surrogate escapes in it.
export default () => "a\u0000b\ud800".length;
