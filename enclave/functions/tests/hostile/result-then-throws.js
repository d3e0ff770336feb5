// Returns a thenable whose then throws.
export default () => ({ get then() { throw new Error("then"); } });
