// attack: Looks for memory that another thread could count in.
// limit: none
// ends: output []
export default () => ["SharedArrayBuffer", "Atomics", "Worker", "MessageChannel", "BroadcastChannel", "WebAssembly"].filter((name) => name in globalThis);
