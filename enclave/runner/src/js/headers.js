// `Headers`: names in lower case, values in order, joined by a comma when read.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const {
    ArrayPrototypePush,
    ArrayPrototypeSort,
    ArrayPrototypeSplice,
    ObjectKeys,
    ReflectApply,
    RegExpPrototypeTest,
    SafeRegExp,
    StringPrototypeToLowerCase,
    StringPrototypeTrim,
    SymbolIterator,
    TypeError,
  } = primordials;

  const NAME = new SafeRegExp("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$");
  const VALUE = new SafeRegExp("^[^\\0\\r\\n]*$");

  function checkName(name) {
    const text = `${name}`;
    if (!RegExpPrototypeTest(NAME, text)) throw new TypeError("Headers: invalid name");
    return StringPrototypeToLowerCase(text);
  }

  function checkValue(value) {
    const text = StringPrototypeTrim(`${value}`);
    if (!RegExpPrototypeTest(VALUE, text)) throw new TypeError("Headers: invalid value");
    return text;
  }

  /** The header list of a `Headers`, in order. */
  let listOf;

  class Headers {
    #list = [];

    static {
      listOf = (headers) => headers.#list;
    }

    constructor(init = undefined) {
      if (init === undefined || init === null) return;
      if (typeof init !== "object") throw new TypeError("Headers: not an object");
      if (typeof init[SymbolIterator] === "function") {
        for (const pair of init) {
          const items = [...pair];
          if (items.length !== 2) throw new TypeError("Headers: not a list of pairs");
          this.append(items[0], items[1]);
        }
        return;
      }
      const keys = ObjectKeys(init);
      for (let i = 0; i < keys.length; i++) this.append(keys[i], init[keys[i]]);
    }

    append(name, value) {
      ArrayPrototypePush(this.#list, [checkName(name), checkValue(value)]);
    }

    set(name, value) {
      const wanted = checkName(name);
      const text = checkValue(value);
      this.delete(wanted);
      ArrayPrototypePush(this.#list, [wanted, text]);
    }

    delete(name) {
      const wanted = checkName(name);
      for (let i = this.#list.length - 1; i >= 0; i--) {
        if (this.#list[i][0] === wanted) ArrayPrototypeSplice(this.#list, i, 1);
      }
    }

    get(name) {
      const wanted = checkName(name);
      let found = null;
      for (let i = 0; i < this.#list.length; i++) {
        if (this.#list[i][0] === wanted) {
          found = found === null ? this.#list[i][1] : `${found}, ${this.#list[i][1]}`;
        }
      }
      return found;
    }

    getSetCookie() {
      const found = [];
      for (let i = 0; i < this.#list.length; i++) {
        if (this.#list[i][0] === "set-cookie") ArrayPrototypePush(found, this.#list[i][1]);
      }
      return found;
    }

    has(name) {
      return this.get(name) !== null;
    }

    forEach(callback, self = undefined) {
      for (const [name, value] of this.entries()) ReflectApply(callback, self, [value, name, this]);
    }

    *entries() {
      const names = [];
      for (let i = 0; i < this.#list.length; i++) {
        const name = this.#list[i][0];
        let known = false;
        for (let j = 0; j < names.length; j++) known ||= names[j] === name;
        if (!known) ArrayPrototypePush(names, name);
      }
      ArrayPrototypeSort(names);
      for (let i = 0; i < names.length; i++) yield [names[i], this.get(names[i])];
    }

    *keys() {
      for (const [name] of this.entries()) yield name;
    }

    *values() {
      for (const [, value] of this.entries()) yield value;
    }

    [SymbolIterator]() {
      return this.entries();
    }
  }

  internals.headers = { listOf, Headers };
}
