// attack: Exports a generator that is never advanced.
// limit: none
// ends: output {}
export default function* () { for (;;) yield 1; }
