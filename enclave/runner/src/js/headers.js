// `Headers`: the Fetch standard, section 5.1. Names in lower case, values in order, joined by a comma when read.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { asInterface, byteString, isObject, iterable, list, need, pairOf, pairs, platform } = internals.webidl;
  const {
    ArrayPrototypePush,
    ArrayPrototypeSort,
    ArrayPrototypeSplice,
    RegExpPrototypeTest,
    SafeRegExp,
    StringPrototypeReplace,
    StringPrototypeToLowerCase,
    TypeError,
  } = primordials;

  const NAME = new SafeRegExp("^[!#$%&'*+\\-.^_\\x60|~0-9A-Za-z]+$");
  const VALUE = new SafeRegExp("^[^\\0\\r\\n]*$");
  const AROUND = new SafeRegExp("^[\\t\\n\\r ]+|[\\t\\n\\r ]+$", "g");

  function checkName(name) {
    if (!RegExpPrototypeTest(NAME, name)) throw new TypeError("Headers: invalid name");
    return StringPrototypeToLowerCase(name);
  }

  // Section 2.2.2, "normalize", then "header value".
  function checkValue(value) {
    const text = StringPrototypeReplace(value, AROUND, "");
    if (!RegExpPrototypeTest(VALUE, text)) throw new TypeError("Headers: invalid value");
    return text;
  }

  /** The header list of a `Headers`, in order: pairs of a name and a value. */
  let listOf;
  /** From here on a script may not change it. */
  let freeze;

  class Headers {
    static {
      ArrayPrototypePush(platform, (value) => #list in value);
    }

    #list = list();
    #immutable = false;

    static {
      listOf = (headers) => headers.#list;
      freeze = (headers) => {
        headers.#immutable = true;
        return headers;
      };
    }

    constructor(init = undefined) {
      if (init === undefined) return;
      if (!isObject(init)) throw new TypeError("Headers: not a list of pairs and no object");
      const given = pairs(init, byteString, "Headers");
      for (let i = 0; i < given.length; i++) {
        ArrayPrototypePush(this.#list, pairOf(checkName(given[i][0]), checkValue(given[i][1])));
      }
    }

    #mayChange() {
      if (this.#immutable) throw new TypeError("Headers: these cannot be changed");
    }

    append(name, value) {
      this.#list;
      need(2, arguments.length, "append");
      const given = byteString(name);
      const text = checkValue(byteString(value));
      const pair = pairOf(checkName(given), text);
      this.#mayChange();
      ArrayPrototypePush(this.#list, pair);
    }

    set(name, value) {
      this.#list;
      need(2, arguments.length, "set");
      const given = byteString(name);
      const text = checkValue(byteString(value));
      const wanted = checkName(given);
      this.#mayChange();
      // In the place of the first; the others go.
      let placed = false;
      for (let i = 0; i < this.#list.length; i++) {
        if (this.#list[i][0] !== wanted) continue;
        if (placed) ArrayPrototypeSplice(this.#list, i--, 1);
        else this.#list[i] = pairOf(wanted, text);
        placed = true;
      }
      if (!placed) ArrayPrototypePush(this.#list, pairOf(wanted, text));
    }

    delete(name) {
      this.#list;
      need(1, arguments.length, "delete");
      const wanted = checkName(byteString(name));
      this.#mayChange();
      for (let i = this.#list.length - 1; i >= 0; i--) {
        if (this.#list[i][0] === wanted) ArrayPrototypeSplice(this.#list, i, 1);
      }
    }

    get(name) {
      this.#list;
      need(1, arguments.length, "get");
      return joined(this.#list, checkName(byteString(name)));
    }

    getSetCookie() {
      const found = [];
      for (let i = 0; i < this.#list.length; i++) {
        if (this.#list[i][0] === "set-cookie") {
          internals.webidl.define(found, found.length, this.#list[i][1], true);
        }
      }
      return found;
    }

    has(name) {
      this.#list;
      need(1, arguments.length, "has");
      return joined(this.#list, checkName(byteString(name))) !== null;
    }
  }

  // Section 2.2.2, "get".
  function joined(all, name) {
    let found = null;
    for (let i = 0; i < all.length; i++) {
      if (all[i][0] === name) found = found === null ? all[i][1] : found + ", " + all[i][1];
    }
    return found;
  }

  // Section 2.2.2, "sort and combine": cookies are never joined.
  function combined(headers) {
    const all = listOf(headers);
    const sorted = list();
    for (let i = 0; i < all.length; i++) ArrayPrototypePush(sorted, pairOf(all[i], i));
    ArrayPrototypeSort(sorted, (a, b) => (a[0][0] < b[0][0] ? -1 : a[0][0] > b[0][0] ? 1 : a[1] - b[1]));
    const found = list();
    for (let i = 0; i < sorted.length; i++) {
      const pair = sorted[i][0];
      const last = found.length > 0 ? found[found.length - 1] : undefined;
      if (last !== undefined && last[0] === pair[0] && pair[0] !== "set-cookie") last[1] = last[1] + ", " + pair[1];
      else ArrayPrototypePush(found, pairOf(pair[0], pair[1]));
    }
    return found;
  }

  /** A value as it may be sent, of a header that the platform itself sets. */
  function append(headers, name, value) {
    ArrayPrototypePush(listOf(headers), pairOf(name, value));
  }

  const has = (headers, name) => joined(listOf(headers), name) !== null;
  const get = (headers, name) => joined(listOf(headers), name);

  /** A copy that may be changed. */
  function copy(headers) {
    const made = new Headers();
    const all = listOf(headers);
    for (let i = 0; i < all.length; i++) append(made, all[i][0], all[i][1]);
    return made;
  }

  iterable(Headers, "Headers", combined);
  asInterface(Headers, "Headers");

  internals.headers = { Headers, append, copy, freeze, get, has, listOf };
}
