// The result has keys without end.
export default () => new Proxy({}, { ownKeys() { for (;;); } });
