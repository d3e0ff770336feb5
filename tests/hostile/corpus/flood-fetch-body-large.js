// attack: Sends a body of ten million bytes.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => fetch("https://venue.example/", { method: "POST", body: new Uint8Array(10_000_000) });
