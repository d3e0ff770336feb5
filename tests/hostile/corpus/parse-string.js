// attack: Compiles a text of a million characters.
// limit: none
// ends: output 1000000
export default () => new Function(`return "${"a".repeat(1_000_000)}".length`)();
