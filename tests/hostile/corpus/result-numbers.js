// attack: Returns numbers at the edges of what a reader takes.
// limit: none
// ends: output [0,null,null,5e-324,1.7976931348623157e+308,9007199254740993]
export default () => [-0, NaN, -Infinity, 5e-324, Number.MAX_VALUE, JSON.rawJSON ? JSON.rawJSON("9007199254740993") : 9007199254740993];
