// attack: Wraps a number to nearly as many bits as can be named.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
// ends: output true
export default () => BigInt.asUintN(2 ** 53 - 1, -1n) > 0n;
