// attack: The module never finishes loading.
// limit: cpu
// ends: cpu_limit
for (;;);
export default () => 1;
