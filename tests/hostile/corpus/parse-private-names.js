// attack: Compiles a class of seventy thousand private names.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => new Function("class A{" + Array.from({ length: 70_000 }, (_, i) => `#p${i}=1;`).join("") + "} return new A()")();
