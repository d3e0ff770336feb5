// Returns a revoked proxy.
export default () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
