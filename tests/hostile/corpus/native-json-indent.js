// attack: Writes JSON in which the indentation outgrows the content.
// limit: none
// ends: memory_limit
// ends: function_error/result_not_json
// ends: function_error/thrown
// ends: output_limit
export default () => { let a = 1; for (let i = 0; i < 5000; i++) a = [a, a === 1 ? 1 : 0]; return JSON.stringify(a, null, 10).length > 0 ? JSON.stringify(a, null, "xxxxxxxxxx") : 0; };
