// attack: Returns an object that grows deeper while it is written.
// limit: none
// ends: function_error/result_not_json
// ends: output_limit
// ends: memory_limit
export default () => { const a = {}; let at = a; a.toJSON = undefined; Object.defineProperty(a, "b", { enumerable: true, get() { at = at.c = {}; let deep = []; for (let i = 0; i < 1000; i++) deep = [deep]; return deep; } }); return a; };
