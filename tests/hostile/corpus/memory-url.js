// attack: Keeps URLs of a million characters.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const all = []; for (let i = 0;; i++) all.push(new URL(`https://a.example/${"x".repeat(1_000_000)}${i}`)); };
