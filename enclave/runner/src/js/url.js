// `URL`: the URL standard, section 6.1. Parsing and serialising are done outside the engine, by the same library
// that the enclave's own `fetch` uses, so that both read one address in one way.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_url_parse, op_r3e_url_set } = core.ops;
  const { URLSearchParams, attach, refill } = internals.urlsearchparams;
  const { asInterface, need, platform, usvString } = internals.webidl;
  const { ArrayPrototypePush, JSONParse, ObjectDefineProperty, StringPrototypeSlice, TypeError } = primordials;

  const HREF = 0;
  const SEARCH = 9;
  const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

  let make;
  let isUrl;

  class URL {
    static {
      ArrayPrototypePush(platform, (value) => #parts in value);
    }

    #parts;
    #params = undefined;

    static {
      make = (parts) => {
        const url = new URL("about:blank");
        url.#parts = parts;
        return url;
      };
      isUrl = (value) => typeof value === "object" && value !== null && #parts in value;
    }

    constructor(url, base = undefined) {
      need(1, arguments.length, "URL");
      const address = usvString(url);
      const parts = parse(address, base);
      if (parts === undefined) throw new TypeError("Invalid URL: '" + StringPrototypeSlice(address, 0, 200) + "'");
      this.#parts = parts;
    }

    static canParse(url, base = undefined) {
      need(1, arguments.length, "URL.canParse");
      return parse(usvString(url), base) !== undefined;
    }

    static parse(url, base = undefined) {
      need(1, arguments.length, "URL.parse");
      const parts = parse(usvString(url), base);
      return parts === undefined ? null : make(parts);
    }

    static {
      for (let i = 0; i < PARTS.length; i++) {
        const part = PARTS[i];
        ObjectDefineProperty(URL.prototype, part, {
          __proto__: null,
          configurable: true,
          enumerable: true,
          get() {
            return this.#parts[i];
          },
          set: part === "origin" ? undefined : function (value) {
            this.#parts;
            this.#set(part, usvString(value));
          },
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
      if (this.#params !== undefined) refill(this.#params, StringPrototypeSlice(this.#parts[SEARCH], 1));
    }

    get searchParams() {
      if (this.#params === undefined) {
        this.#params = new URLSearchParams(this.#parts[SEARCH]);
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
      ? op_r3e_url_parse(address, "", false)
      : op_r3e_url_parse(address, usvString(base), true);
    return parts === "" ? undefined : JSONParse(parts);
  }

  /** What requests look at in an address; `undefined` where it does not parse. */
  function parsed(address, base = undefined) {
    const parts = parse(address, base);
    if (parts === undefined) return undefined;
    return {
      __proto__: null,
      href: parts[HREF],
      origin: parts[1],
      protocol: parts[2],
      hasCredentials: parts[3] !== "" || parts[4] !== "",
      hash: parts[10],
    };
  }

  asInterface(URL, "URL");

  internals.url = { URL, isUrl, parsed };
}
