// attack: Backtracks over back references.
// limit: cpu
// ends: cpu_limit
export default () => /^(.*)*\1(.*)*\2!$/.test("ab".repeat(2000));
