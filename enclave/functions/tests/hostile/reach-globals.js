// Looks for what should be gone.
export default () => [
  "Deno", "__bootstrap", "gc", "ShadowRealm", "SharedArrayBuffer", "Atomics", "WebAssembly", "process", "require",
  "std", "os", "bjson", "print", "scriptArgs", "navigator", "Worker", "Bun", "global", "window",
  "self", "load", "loadScript", "__loadScript", "InternalError", "Intl", "Temporal",
].filter((name) => name in globalThis || new Function(`return typeof ${name}`)() !== "undefined");
