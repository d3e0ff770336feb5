// attack: The thrown error's message never ends.
// limit: cpu
// ends: cpu_limit
export default () => { throw { get message() { for (;;); } }; };
