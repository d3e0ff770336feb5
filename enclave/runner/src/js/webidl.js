// What Web IDL says of all interfaces alike: converting arguments, and what an interface looks like from a script.
//
// No script of the prelude has a template literal: the engine makes them by `String.prototype.concat`, which is the
// function's to replace.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const {
    ArrayIteratorPrototype,
    ArrayPrototypePush,
    MathFloor,
    ObjectDefineProperties,
    ObjectDefineProperty,
    ObjectGetOwnPropertyDescriptor,
    ObjectSetPrototypeOf,
    ReflectApply,
    ReflectGetPrototypeOf,
    ReflectOwnKeys,
    RegExpPrototypeTest,
    SafeRegExp,
    String,
    StringPrototypeToWellFormed,
    SymbolIterator,
    SymbolToStringTag,
    TypeError,
  } = primordials;

  const IteratorPrototype = ReflectGetPrototypeOf(ArrayIteratorPrototype);
  const BYTES = new SafeRegExp("^[\\0-\\xff]*$");

  // What tells an object of the platform's from any other: one test for each class that has no other way to be cloned.
  const platform = [];

  /** An array without a prototype: nothing that a script does to `Array.prototype` is seen by it. */
  function list() {
    return ObjectSetPrototypeOf([], null);
  }

  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

  /** Web IDL, section 3.2.10. Throws for symbols. */
  function domString(value) {
    if (typeof value === "symbol") throw new TypeError("a symbol is no text");
    return String(value);
  }

  /** Section 3.2.12: half a surrogate pair becomes U+FFFD. */
  const usvString = (value) => StringPrototypeToWellFormed(domString(value));

  /** Section 3.2.11: one byte a character. */
  function byteString(value) {
    const text = domString(value);
    if (!RegExpPrototypeTest(BYTES, text)) throw new TypeError("a byte string has no character above U+00FF");
    return text;
  }

  /** Section 3.2.4.9, "ConvertToInt", by `+`, which throws for a bigint: an unsigned integer of so many bits (at most 32), modulo its range. */
  function unsigned(value, bits) {
    const number = +value >>> 0;
    return bits === 32 ? number : number & ((1 << bits) - 1);
  }

  /** The same with [EnforceRange]: throws where the number is not in the range. */
  function enforceRange(value, most, what) {
    const number = +value;
    const whole = number < 0 ? -MathFloor(-number) : MathFloor(number);
    if (!(whole >= 0 && whole <= most)) throw new TypeError(what + " must be a number from 0 to " + most);
    return whole + 0;
  }

  /** Section 3.2.17: what was given as a dictionary; none at all is an empty one. */
  function dictionary(value, what) {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw new TypeError(what + " must be an object");
    return value;
  }

  /** Section 3.2.18. */
  function enumeration(value, values, what) {
    const text = domString(value);
    for (let i = 0; i < values.length; i++) {
      if (values[i] === text) return text;
    }
    throw new TypeError(what + " cannot be '" + text + "'");
  }

  /** Section 3.2.21: the items of anything iterable, each converted. */
  function sequence(value, convert, what) {
    if (!isObject(value)) throw new TypeError(what + " must be a sequence");
    const method = value[SymbolIterator];
    if (typeof method !== "function") throw new TypeError(what + " must be a sequence");
    const items = list();
    const iterator = ReflectApply(method, value, []);
    if (!isObject(iterator)) throw new TypeError(what + " must be a sequence");
    const next = iterator.next;
    for (;;) {
      const step = ReflectApply(next, iterator, []);
      if (!isObject(step)) throw new TypeError(what + ": an iterator's result must be an object");
      if (step.done) return items;
      ArrayPrototypePush(items, convert(step.value));
    }
  }

  /** Section 3.2.23: own enumerable properties, as pairs. */
  function record(value, convert) {
    const pairs = list();
    const keys = ReflectOwnKeys(value);
    for (let i = 0; i < keys.length; i++) {
      const slot = ObjectGetOwnPropertyDescriptor(value, keys[i]);
      if (slot === undefined || !slot.enumerable) continue;
      const key = convert(keys[i]);
      ArrayPrototypePush(pairs, pairOf(key, convert(value[keys[i]])));
    }
    return pairs;
  }

  /** A union of a sequence of pairs and a record, as `URLSearchParams` and `Headers` take it. */
  function pairs(value, convert, what) {
    const method = value[SymbolIterator];
    if (method === undefined || method === null) return record(value, convert);
    return sequence(value, (item) => {
      const parts = sequence(item, convert, what + ": a pair");
      if (parts.length !== 2) throw new TypeError(what + ": a pair has two items");
      return parts;
    }, what);
  }

  function pairOf(first, second) {
    const pair = list();
    pair[0] = first;
    pair[1] = second;
    return pair;
  }

  /** Section 3.7: an operation called with fewer arguments than it needs throws. */
  function need(count, given, what) {
    if (given < count) throw new TypeError(what + ": " + count + " argument(s) needed, " + given + " given");
  }

  const VISIBLE = { __proto__: null, enumerable: true };

  /** Section 3.7.3: members are enumerable, and the class has a name of its own. */
  function asInterface(Class, name) {
    showAll(Class.prototype, (key) => key === "constructor");
    showAll(Class, (key) => key === "prototype" || key === "name" || key === "length");
    ObjectDefineProperty(Class.prototype, SymbolToStringTag, {
      __proto__: null,
      configurable: true,
      enumerable: false,
      value: name,
      writable: false,
    });
    return Class;
  }

  function showAll(object, stays) {
    const keys = ReflectOwnKeys(object);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (typeof key === "string" && !stays(key)) ObjectDefineProperty(object, key, VISIBLE);
    }
  }

  /** Section 3.7.5: constants stand on the interface and on its prototype. */
  function constants(Class, values) {
    const names = ReflectOwnKeys(values);
    const slots = { __proto__: null };
    for (let i = 0; i < names.length; i++) {
      const value = values[names[i]];
      slots[names[i]] = { __proto__: null, configurable: false, enumerable: true, value, writable: false };
    }
    ObjectDefineProperties(Class, slots);
    ObjectDefineProperties(Class.prototype, slots);
  }

  const KEYS = 0;
  const VALUES = 1;
  const ENTRIES = 2;

  /** Section 3.7.10: `entries`, `keys`, `values`, `forEach` over pairs that may change meanwhile. */
  function iterable(Class, name, pairsOf) {
    class PairIterator {
      #target;
      #kind;
      #index = 0;

      constructor(target, kind) {
        this.#target = target;
        this.#kind = kind;
      }

      next() {
        const all = pairsOf(this.#target);
        if (this.#index >= all.length) return { value: undefined, done: true };
        const pair = all[this.#index++];
        if (this.#kind === KEYS) return { value: pair[0], done: false };
        if (this.#kind === VALUES) return { value: pair[1], done: false };
        return { value: [pair[0], pair[1]], done: false };
      }
    }
    delete PairIterator.prototype.constructor;
    ObjectSetPrototypeOf(PairIterator.prototype, IteratorPrototype);
    asInterface(PairIterator, name + " Iterator");

    const make = (target, kind) => {
      pairsOf(target);
      return new PairIterator(target, kind);
    };
    const methods = {
      __proto__: null,
      entries() {
        return make(this, ENTRIES);
      },
      keys() {
        return make(this, KEYS);
      },
      values() {
        return make(this, VALUES);
      },
      forEach(callback, self = undefined) {
        pairsOf(this);
        need(1, arguments.length, name + ".forEach");
        if (typeof callback !== "function") throw new TypeError(name + ".forEach: not a function");
        for (let i = 0; i < pairsOf(this).length; i++) {
          const pair = pairsOf(this)[i];
          ReflectApply(callback, self, [pair[1], pair[0], this]);
        }
      },
    };
    const names = ReflectOwnKeys(methods);
    for (let i = 0; i < names.length; i++) define(Class.prototype, names[i], methods[names[i]], true);
    define(Class.prototype, SymbolIterator, methods.entries, false);
  }

  /** Puts a method on an object, whatever its prototypes hold. */
  function define(object, key, value, enumerable) {
    ObjectDefineProperty(object, key, { __proto__: null, configurable: true, enumerable, value, writable: true });
  }

  internals.webidl = {
    asInterface,
    byteString,
    constants,
    define,
    dictionary,
    domString,
    enforceRange,
    enumeration,
    isObject,
    iterable,
    list,
    need,
    pairOf,
    pairs,
    platform,
    sequence,
    unsigned,
    usvString,
  };
}
