// attack: Folds from the end of an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.reduceRight.call({ length: 2 ** 53 - 1 }, () => 1, 0);
