// attack: Resolves to a revoked proxy.
// limit: none
// ends: output [{}]
// ends: function_error/result_not_json
export default async () => { const { proxy, revoke } = Proxy.revocable({}, {}); setTimeout(revoke, 0); await null; return [proxy]; };
