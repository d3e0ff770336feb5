// attack: Has a parameter whose default never comes.
// limit: cpu
// ends: cpu_limit
export default (a, b = (() => { for (;;); })()) => b;
