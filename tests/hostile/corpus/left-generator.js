// attack: Leaves a generator half way for the next event.
// limit: none
// ends: output 1
// again: same
const steps = (function* () { for (let n = 1;; n++) yield n; })();
export default () => steps.next().value;
