// attack: Leaves a rejection unhandled in a function that nobody waits for.
// limit: none
// ends: function_error/unhandled_rejection
async function lost() { await null; throw new Error("nobody"); }
export default async () => { lost(); await new Promise((r) => setTimeout(r, 5)); return 1; };
