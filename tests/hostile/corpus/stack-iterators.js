// attack: Maps an iterator over an iterator two hundred thousand times.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => { let i = [1].values(); for (let n = 0; n < 200_000; n++) i = i.map((x) => x); return i.next().value; };
