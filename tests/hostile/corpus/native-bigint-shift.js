// attack: Shifts a number by a million million bits.
// limit: none
// ends: function_error/thrown
export default () => (1n << (2n ** 40n)) > 0n;
