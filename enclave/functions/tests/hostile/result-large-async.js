// Resolves to an array of a million numbers.
export default async () => Array.from({ length: 1_000_000 }, (_, i) => i);
