// attack: Exports a class, which cannot be called.
// limit: none
// ends: function_error/thrown
export default class { constructor() { return "constructed"; } }
