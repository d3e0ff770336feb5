// `URLSearchParams`: the URL standard, section 6.2.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_form_parse, op_r3e_form_serialize } = core.ops;
  const { asInterface, isObject, iterable, list, need, pairOf, pairs, platform, usvString } = internals.webidl;

  const {
    ArrayPrototypePush,
    ArrayPrototypeSort,
    ArrayPrototypeSplice,
    JSONParse,
    JSONStringify,
    StringPrototypeSlice,
    StringPrototypeStartsWith,
  } = primordials;

  /** Puts what a query says in place of what was there. */
  let refill;
  /** Whom to tell the query when it changes. */
  let attach;
  let isParams;
  let pairsOf;
  let queryOf;

  class URLSearchParams {
    static {
      ArrayPrototypePush(platform, (value) => #pairs in value);
    }

    #pairs = list();
    #changed = undefined;

    static {
      refill = (params, text) => {
        params.#pairs = fromQuery(text);
      };
      attach = (params, changed) => {
        params.#changed = changed;
      };
      isParams = (value) => typeof value === "object" && value !== null && #pairs in value;
      pairsOf = (params) => params.#pairs;
      // JSON finds no `toJSON` on lists without a prototype.
      queryOf = (params) => op_r3e_form_serialize(JSONStringify(params.#pairs));
    }

    constructor(init = "") {
      if (isObject(init)) {
        this.#pairs = pairs(init, usvString, "URLSearchParams");
        return;
      }
      const text = usvString(init);
      this.#pairs = fromQuery(StringPrototypeStartsWith(text, "?") ? StringPrototypeSlice(text, 1) : text);
    }

    #update() {
      if (this.#changed !== undefined) this.#changed(queryOf(this));
    }

    get size() {
      return this.#pairs.length;
    }

    append(name, value) {
      this.#pairs;
      need(2, arguments.length, "append");
      ArrayPrototypePush(this.#pairs, pairOf(usvString(name), usvString(value)));
      this.#update();
    }

    delete(name, value = undefined) {
      this.#pairs;
      need(1, arguments.length, "delete");
      const wanted = usvString(name);
      const text = value === undefined ? undefined : usvString(value);
      for (let i = this.#pairs.length - 1; i >= 0; i--) {
        if (matches(this.#pairs[i], wanted, text)) ArrayPrototypeSplice(this.#pairs, i, 1);
      }
      this.#update();
    }

    get(name) {
      this.#pairs;
      need(1, arguments.length, "get");
      const wanted = usvString(name);
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === wanted) return this.#pairs[i][1];
      }
      return null;
    }

    getAll(name) {
      this.#pairs;
      need(1, arguments.length, "getAll");
      const wanted = usvString(name);
      const found = [];
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === wanted) internals.webidl.define(found, found.length, this.#pairs[i][1], true);
      }
      return found;
    }

    has(name, value = undefined) {
      this.#pairs;
      need(1, arguments.length, "has");
      const wanted = usvString(name);
      const text = value === undefined ? undefined : usvString(value);
      for (let i = 0; i < this.#pairs.length; i++) {
        if (matches(this.#pairs[i], wanted, text)) return true;
      }
      return false;
    }

    set(name, value) {
      this.#pairs;
      need(2, arguments.length, "set");
      const wanted = usvString(name);
      const text = usvString(value);
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
      if (!placed) ArrayPrototypePush(this.#pairs, pairOf(wanted, text));
      this.#update();
    }

    sort() {
      // By code units, as the language compares; stable.
      ArrayPrototypeSort(this.#pairs, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      this.#update();
    }

    toString() {
      return queryOf(this);
    }
  }

  function matches(pair, name, value) {
    return pair[0] === name && (value === undefined || pair[1] === value);
  }

  function fromQuery(text) {
    const parsed = JSONParse(op_r3e_form_parse(text));
    const all = list();
    for (let i = 0; i < parsed.length; i++) ArrayPrototypePush(all, pairOf(parsed[i][0], parsed[i][1]));
    return all;
  }

  iterable(URLSearchParams, "URLSearchParams", pairsOf);
  asInterface(URLSearchParams, "URLSearchParams");

  internals.urlsearchparams = { URLSearchParams, attach, isParams, queryOf, refill };
}
