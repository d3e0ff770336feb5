// attack: Clones an object whose property never comes.
// limit: cpu
// ends: cpu_limit
export default () => structuredClone({ get a() { for (;;); } });
