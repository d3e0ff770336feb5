// attack: Returns boxed primitives whose valueOf throws.
// limit: none
// ends: output [1,"x",true]
export default () => { const hostile = (o) => Object.assign(o, { valueOf() { throw 1; } }); void hostile; return [new Number(1), new String("x"), new Boolean(true)]; };
