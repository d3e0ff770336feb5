// attack: Throws in each event, after it replaced what failures are told by.
// limit: none
// ends: function_error/thrown
// again: same
export default () => { Error.prototype.toString = () => "mine"; globalThis.Error = null; throw new RangeError("again"); };
