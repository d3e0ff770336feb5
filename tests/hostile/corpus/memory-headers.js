// attack: Appends headers without end.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const h = new Headers(); for (let i = 0;; i++) h.append(`x-${i}`, "y".repeat(1000)); };
