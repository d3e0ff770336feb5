// attack: Sends bodies of two hundred thousand bytes at once.
// limit: none
// ends: host_call_limit
// ends: memory_limit
export default () => Promise.all(Array.from({ length: 200 }, () => fetch("https://venue.example/", { method: "POST", body: "x".repeat(200_000) })));
