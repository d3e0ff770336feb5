// attack: Throws a revoked proxy when its result is written.
// limit: none
// ends: function_error/result_not_json
export default () => ({ toJSON() { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy; } });
