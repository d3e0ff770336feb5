// Resolves to a revoked proxy.
export default async () => { const { proxy, revoke } = Proxy.revocable({}, {}); setTimeout(revoke, 0); await null; return [proxy]; };
