// attack: Returns an object of fifty thousand keys.
// limit: none
// ends: output_limit
export default () => Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key ${i}`, i]));
