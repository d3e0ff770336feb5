// attack: Exports a proxy that was revoked.
// limit: none
// ends: load_error/no_handler
// ends: function_error/thrown
const { proxy, revoke } = Proxy.revocable(() => 1, {});
revoke();
export default proxy;
