// attack: Returns an array whose length and iterator lie.
// limit: none
// ends: output [1,2]
export default () => { class Mine extends Array { get [Symbol.iterator]() { throw 1; } } const a = new Mine(); a.push(1, 2); return a; };
