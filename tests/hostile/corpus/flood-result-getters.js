// attack: Returns an object that grows as it is written.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/result_not_json
export default () => ({ get a() { return { ...Object.getOwnPropertyDescriptors(this), get a() { for (;;) this.b = [this.b]; } }; } });
