// attack: Defines a class whose static block never ends.
// limit: cpu
// ends: cpu_limit
export default () => class { static { for (;;); } };
