// attack: Exports an asynchronous generator that is never advanced.
// limit: none
// ends: output {}
export default async function* () { for (;;) yield 1; }
