// attack: Delegates from generator to generator without end.
// limit: none
// ends: function_error/thrown
export default () => { const g = function* () { yield* g(); }; return g().next(); };
