// attack: Returns a revoked proxy.
// limit: none
// ends: function_error/thrown
export default () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
