// attack: Resolves to an array of a million numbers.
// limit: none
// ends: output_limit
export default async () => Array.from({ length: 1_000_000 }, (_, i) => i);
