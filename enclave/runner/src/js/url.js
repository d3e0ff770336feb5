// `URL` and `URLSearchParams`. Parsing and serialising are done outside the engine, by the same library
// that the enclave's own `fetch` uses, so that both read one address in one way.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_form_parse, op_r3e_form_serialize, op_r3e_url_parse, op_r3e_url_set } = core.ops;

  const {
    ArrayPrototypePush,
    ArrayPrototypeSort,
    ArrayPrototypeSplice,
    JSONParse,
    JSONStringify,
    ObjectDefineProperty,
    ObjectKeys,
    ObjectSetPrototypeOf,
    ReflectApply,
    StringPrototypeStartsWith,
    StringPrototypeSlice,
    SymbolIterator,
    TypeError,
  } = primordials;

  const HREF = 0;
  const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

  let listOf;
  let attach;

  class URLSearchParams {
    #pairs = [];
    #changed = undefined;

    static {
      listOf = (params, text) => {
        params.#pairs = JSONParse(op_r3e_form_parse(text));
      };
      attach = (params, changed) => {
        params.#changed = changed;
      };
    }

    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        if (typeof init[SymbolIterator] === "function") {
          for (const pair of init) {
            const items = [...pair];
            if (items.length !== 2) throw new TypeError("URLSearchParams: not a list of pairs");
            ArrayPrototypePush(this.#pairs, [`${items[0]}`, `${items[1]}`]);
          }
        } else {
          const keys = ObjectKeys(init);
          for (let i = 0; i < keys.length; i++) {
            ArrayPrototypePush(this.#pairs, [keys[i], `${init[keys[i]]}`]);
          }
        }
        return;
      }
      const text = `${init}`;
      listOf(this, StringPrototypeStartsWith(text, "?") ? StringPrototypeSlice(text, 1) : text);
    }

    #update() {
      if (this.#changed !== undefined) this.#changed(this.toString());
    }

    get size() {
      return this.#pairs.length;
    }

    append(name, value) {
      ArrayPrototypePush(this.#pairs, [`${name}`, `${value}`]);
      this.#update();
    }

    delete(name, value = undefined) {
      const wanted = `${name}`;
      for (let i = this.#pairs.length - 1; i >= 0; i--) {
        const pair = this.#pairs[i];
        if (pair[0] === wanted && (value === undefined || pair[1] === `${value}`)) {
          ArrayPrototypeSplice(this.#pairs, i, 1);
        }
      }
      this.#update();
    }

    get(name) {
      const wanted = `${name}`;
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === wanted) return this.#pairs[i][1];
      }
      return null;
    }

    getAll(name) {
      const wanted = `${name}`;
      const found = [];
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === wanted) ArrayPrototypePush(found, this.#pairs[i][1]);
      }
      return found;
    }

    has(name, value = undefined) {
      const wanted = `${name}`;
      for (let i = 0; i < this.#pairs.length; i++) {
        const pair = this.#pairs[i];
        if (pair[0] === wanted && (value === undefined || pair[1] === `${value}`)) return true;
      }
      return false;
    }

    set(name, value) {
      const wanted = `${name}`;
      const text = `${value}`;
      let placed = false;
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] !== wanted) continue;
        if (placed) {
          ArrayPrototypeSplice(this.#pairs, i--, 1);
        } else {
          this.#pairs[i][1] = text;
          placed = true;
        }
      }
      if (!placed) ArrayPrototypePush(this.#pairs, [wanted, text]);
      this.#update();
    }

    sort() {
      ArrayPrototypeSort(this.#pairs, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#update();
    }

    forEach(callback, self = undefined) {
      for (let i = 0; i < this.#pairs.length; i++) {
        ReflectApply(callback, self, [this.#pairs[i][1], this.#pairs[i][0], this]);
      }
    }

    *entries() {
      for (let i = 0; i < this.#pairs.length; i++) yield [this.#pairs[i][0], this.#pairs[i][1]];
    }

    *keys() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][0];
    }

    *values() {
      for (let i = 0; i < this.#pairs.length; i++) yield this.#pairs[i][1];
    }

    [SymbolIterator]() {
      return this.entries();
    }

    toString() {
      return op_r3e_form_serialize(JSONStringify(plain(this.#pairs)));
    }
  }

  // JSON.stringify looks for `toJSON` along the prototype chain, which the function may have changed.
  function plain(pairs) {
    const copy = [];
    for (let i = 0; i < pairs.length; i++) {
      const pair = [pairs[i][0], pairs[i][1]];
      ObjectSetPrototypeOf(pair, null);
      ArrayPrototypePush(copy, pair);
    }
    ObjectSetPrototypeOf(copy, null);
    return copy;
  }

  class URL {
    #parts;
    #params = undefined;

    constructor(address, base = undefined) {
      const parts = parse(address, base);
      if (parts === undefined) throw new TypeError(`Invalid URL: '${StringPrototypeSlice(`${address}`, 0, 200)}'`);
      this.#parts = parts;
    }

    static canParse(address, base = undefined) {
      return parse(address, base) !== undefined;
    }

    static parse(address, base = undefined) {
      return URL.canParse(address, base) ? new URL(address, base) : null;
    }

    static {
      for (let i = 0; i < PARTS.length; i++) {
        const part = PARTS[i];
        const settable = part !== "origin";
        ObjectDefineProperty(URL.prototype, part, {
          __proto__: null,
          configurable: true,
          enumerable: true,
          get() {
            return this.#parts[i];
          },
          set: settable
            ? function (value) {
              this.#set(part, `${value}`);
            }
            : undefined,
        });
      }
    }

    #set(part, value) {
      const parts = op_r3e_url_set(this.#parts[HREF], part, value);
      if (parts === "") {
        if (part === "href") throw new TypeError("Invalid URL");
        return;
      }
      this.#parts = JSONParse(parts);
      if (this.#params !== undefined) listOf(this.#params, StringPrototypeSlice(this.search, 1));
    }

    get searchParams() {
      if (this.#params === undefined) {
        this.#params = new URLSearchParams(this.#parts[9]);
        attach(this.#params, (text) => {
          const parts = op_r3e_url_set(this.#parts[HREF], "search", text);
          if (parts !== "") this.#parts = JSONParse(parts);
        });
      }
      return this.#params;
    }

    toString() {
      return this.#parts[HREF];
    }

    toJSON() {
      return this.#parts[HREF];
    }
  }

  function parse(address, base) {
    const parts = base === undefined
      ? op_r3e_url_parse(`${address}`, "", false)
      : op_r3e_url_parse(`${address}`, `${base}`, true);
    return parts === "" ? undefined : JSONParse(parts);
  }

  internals.url = { URLSearchParams, URL };
}
