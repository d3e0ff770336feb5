// Leaves exactly the globals below. What the engine or its runtime put there besides is deleted; what cannot
// be deleted stops the process before any tenant's code is seen.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { Error, ObjectDefineProperty, ReflectDeleteProperty, ReflectOwnKeys, SafeSet, String } = primordials;

  const STANDARD = [
    "AggregateError", "Array", "ArrayBuffer", "AsyncDisposableStack", "BigInt", "BigInt64Array", "BigUint64Array",
    "Boolean", "DataView", "Date", "DisposableStack", "Error", "EvalError", "FinalizationRegistry", "Float16Array",
    "Float32Array", "Float64Array", "Function", "Infinity", "Int16Array", "Int32Array", "Int8Array", "Iterator",
    "JSON", "Map", "Math", "NaN", "Number", "Object", "Promise", "Proxy", "RangeError", "ReferenceError", "Reflect",
    "RegExp", "Set", "String", "SuppressedError", "Symbol", "SyntaxError", "TypeError", "URIError", "Uint16Array",
    "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakRef", "WeakSet", "decodeURI",
    "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "eval", "globalThis", "isFinite", "isNaN",
    "parseFloat", "parseInt", "undefined", "unescape",
  ];

  /** Deletes every global that is neither the language's nor one of `ours`. */
  function seal(ours) {
    const kept = new SafeSet();
    for (let i = 0; i < STANDARD.length; i++) kept.add(STANDARD[i]);
    for (let i = 0; i < ours.length; i++) kept.add(ours[i]);
    kept.add("queueMicrotask");
    const names = ReflectOwnKeys(globalThis);
    for (let i = 0; i < names.length; i++) {
      if (kept.has(names[i])) continue;
      if (!ReflectDeleteProperty(globalThis, names[i])) {
        throw new Error("a global cannot be removed: " + (String(names[i])));
      }
    }
    // A hook into every stack trace, through which a function would see frames that are not its own. Libraries set
    // it without asking, so setting it does nothing instead of throwing.
    ObjectDefineProperty(Error, "prepareStackTrace", {
      __proto__: null,
      configurable: false,
      enumerable: false,
      get: () => undefined,
      set: () => {},
    });
  }

  internals.seal = { seal };
}
