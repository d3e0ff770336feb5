// attack: Clones arrays nested and shared a million times.
// limit: none
// ends: function_error/thrown
// ends: output "cloned"
export default () => { let a = []; for (let i = 0; i < 20; i++) a = [a, a]; structuredClone(a); return "cloned"; };
