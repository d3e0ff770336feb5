// attack: Returns a text that is six times as long as JSON.
// limit: none
// ends: output_limit
export default () => "\u0001".repeat(20_000);
