// attack: Writes JSON in which one part stands a million times.
// limit: none
// ends: memory_limit
// ends: output_limit
export default () => { let a = ["x".repeat(1000)]; for (let i = 0; i < 20; i++) a = [a, a]; return a; };
