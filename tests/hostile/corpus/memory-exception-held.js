// attack: Throws an exception that holds nearly all memory, again and again.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const held = []; for (;;) { try { throw Object.assign(new Error("x"), { bytes: new Uint8Array(10_000_000).fill(1) }); } catch (error) { held.push(error); } } };
