// attack: Returns a promise of a class whose then never calls back.
// limit: none
// ends: output 1
// ends: function_error/thrown
export default () => { class Mine extends Promise { then(f) { return super.then(f); } } return Mine.resolve(1); };
