// attack: Parses a JSON object of two million keys.
// limit: none
// ends: memory_limit
export default () => Object.keys(JSON.parse("{" + Array.from({ length: 2_000_000 }, (_, i) => `"k${i}":0`).join(",") + "}")).length;
