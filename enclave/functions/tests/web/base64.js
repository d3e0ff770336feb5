// HTML, section 8.3, and the Infra standard's forgiving-base64.
table("btoa", [
  ["", ""], ["a", "YQ=="], ["ab", "YWI="], ["abc", "YWJj"], ["\u0000", "AA=="], ["\u00ff", "/w=="], ["\u00fb\u00ff\u00fe", "+//+"],
  ["undefined", "dW5kZWZpbmVk"], [" ", "IA=="],
], (text, expected) => {
  eq(btoa(text), expected);
  eq(atob(expected), text);
});

table("btoa of any value", [[null, "bnVsbA=="], [12, "MTI="], [true, "dHJ1ZQ=="], [undefined, "dW5kZWZpbmVk"], [["a"], "YQ=="]],
  (value, expected) => eq(btoa(value), expected));

table("btoa refuses", [["\u0100"], ["\u20ac"], ["\ud83d\ude00"], ["\ud800"], ["a\u0100"]], (text) => {
  eq(throws("InvalidCharacterError", () => btoa(text)).code, 5);
});

table("atob", [
  ["YQ", "a"], ["YQ==", "a"], ["YWI", "ab"], ["YWI=", "ab"], [" Y Q = = ", "a"], ["\tY\nQ\f=\r=", "a"], ["YR==", "a"], ["YWJ", "ab"],
  ["+/8", "\u00fb\u00ff"], ["", ""], ["  ", ""], ["AAAA", "\u0000\u0000\u0000"],
], (text, expected) => eq(atob(text), expected));

table("atob of any value", [[null, "\u009e\u00e9e"], [12, "\u00d7"], [1234, "\u00d7m\u00f8"], [true, "\u00b6\u00bb\u009e"]],
  (value, expected) => eq(atob(value), expected));

table("atob refuses", [
  ["a"], ["="], ["=="], ["a="], ["a=="], ["a==="], ["ab=="  + "="], ["YQ="], ["YQ==="], ["Y=Q="], ["=YQ="], ["YQ==YQ=="], ["-_-_"],
  ["YQ\u000b=="], ["YQ\u00a0=="], ["\u0000"], ["A\u0000A"], ["abcde"], ["*"], ["YWI\u0100"], ["undefined "], ["YQ==\u0000"],
], (text) => {
  throws("InvalidCharacterError", () => atob(text));
});

test("they need an argument", () => {
  throws(TypeError, () => atob());
  throws(TypeError, () => btoa());
  throws(TypeError, () => btoa(Symbol("s")));
});

test("all bytes, there and back", () => {
  const all = String.fromCharCode(...Array(256).keys());
  eq(atob(btoa(all)), all);
});
