// attack: Parses a URL of a million steps up, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "https://a.example/" + "a/../".repeat(200_000); for (;;) new URL(s); };
