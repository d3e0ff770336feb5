// attack: Tags a template by a function that never ends.
// limit: cpu
// ends: cpu_limit
export default () => { const tag = () => { for (;;); }; return tag`a${1}b`; };
