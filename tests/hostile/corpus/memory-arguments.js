// attack: Keeps the arguments of each call.
// limit: none
// ends: memory_limit
export default () => { const all = []; (function f() { all.push(arguments); })(); const keep = function () { all.push(arguments); }; for (;;) keep(1, 2, 3, all); };
