// attack: Compiles an identifier of a million characters.
// limit: none
// ends: output 1
export default () => { const name = "a".repeat(1_000_000); return new Function(`let ${name}=1;return ${name}`)(); };
