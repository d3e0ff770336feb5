// attack: Gets from a proxy that asks itself.
// limit: none
// ends: function_error/thrown
export default () => new Proxy({}, { get: (_, key, self) => self[key] }).x;
