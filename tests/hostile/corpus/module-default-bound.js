// attack: Exports a function bound a thousand times.
// limit: none
// ends: output [1,{}]
let f = (...all) => all;
for (let i = 0; i < 1000; i++) f = f.bind(null);
export default f.bind(null, 1);
