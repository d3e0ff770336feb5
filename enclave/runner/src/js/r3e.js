// `r3e`: what this appliance offers a function beyond the web's own names.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { decodeBase64, encodeBase64, encodeUtf8, viewOf } = internals.bytes;
  const { Headers, listOf } = internals.headers;
  const { hostCall } = internals.host;
  const { list, pairOf } = internals.webidl;

  const { ArrayIsArray, ArrayPrototypePush, JSONParse, JSONStringify, NumberIsSafeInteger, ObjectFreeze, TypeError } = primordials;

  function text(value, what) {
    if (typeof value !== "string" || value === "") throw new TypeError(what + " must be a non-empty string");
    return value;
  }

  const secrets = ObjectFreeze({
    /** The secret's value, or null when there is none of that name. */
    async get(name) {
      const reply = await hostCall({ __proto__: null, op: "secret_get", name: text(name, "a secret's name") });
      return reply.value;
    },
    /** Sets a secret that the function may set; durable once this resolves. */
    async set(name, value) {
      name = text(name, "a secret's name");
      await hostCall({ __proto__: null, op: "secret_set", name, value: text(value, "a secret") });
    },
  });

  const store = ObjectFreeze({
    /** The value last set under the key, or null. */
    async get(key) {
      const reply = await hostCall({ __proto__: null, op: "store_get", key: text(key, "a key") });
      return reply.value === null ? null : JSONParse(reply.value);
    },
    /** Keeps a JSON value under the key; durable once this resolves. */
    async set(key, value) {
      const json = JSONStringify(value);
      if (typeof json !== "string") throw new TypeError("a stored value must have a JSON form");
      await hostCall({ __proto__: null, op: "store_set", key: text(key, "a key"), value: json });
    },
    /** Forgets the key. */
    async delete(key) {
      await hostCall({ __proto__: null, op: "store_set", key: text(key, "a key"), value: null });
    },
  });

  const tee = ObjectFreeze({
    /** A fresh attestation document, as bytes, that commits to `data` (text or bytes). */
    async getAttestation(data = undefined) {
      let encoded = null;
      if (data !== undefined && data !== null) {
        const view = typeof data === "string" ? encodeUtf8(data) : viewOf(data);
        if (view === undefined) throw new TypeError("attested data must be text or bytes");
        encoded = encodeBase64(view);
      }
      const reply = await hostCall({ __proto__: null, op: "attestation", data_base64: encoded });
      return decodeBase64(reply.document_base64);
    },
  });

  const events = ObjectFreeze({
    /** Publishes an event, a JSON value; how many triggers queued a job for it, and how many could not. */
    async publish(topic, data, options = undefined) {
      const json = JSONStringify(data);
      if (typeof json !== "string") throw new TypeError("an event must have a JSON form");
      const key = options === undefined || options === null ? undefined : options.key;
      const reply = await hostCall({
        __proto__: null,
        op: "publish",
        topic: text(topic, "a topic"),
        data: json,
        key: key === undefined || key === null ? null : text(key, "a key"),
      });
      return { queued: reply.queued, failed: reply.failed };
    },
  });

  const trigger = ObjectFreeze({
    /** Makes a trigger that invokes this function; the same one again is the same trigger. */
    async create(definition) {
      const json = JSONStringify(definition);
      if (typeof json !== "string") throw new TypeError("a trigger must have a JSON form");
      const reply = await hostCall({ __proto__: null, op: "trigger_create", definition: json });
      return { name: reply.name, created: reply.created };
    },
    /** Deletes a trigger that this function made; false where there is none. */
    async delete(name) {
      const reply = await hostCall({ __proto__: null, op: "trigger_delete", name: text(name, "a trigger's name") });
      return reply.deleted;
    },
  });

  function number(value, what) {
    if (!NumberIsSafeInteger(value) || value < 0) throw new TypeError(what + " must be a whole number from 0 to 2^53 - 1");
    return value;
  }

  const drawn = async (min, max, seed) => {
    if (seed !== undefined && seed !== null && typeof seed !== "string") throw new TypeError("a seed must be a string");
    min = number(min, "the least number");
    max = number(max, "the greatest number");
    return await hostCall({ __proto__: null, op: "oracle_random", min, max, seed: seed ?? null });
  };

  /** What to ask an endpoint with: by the same forms as `fetch` takes them. */
  function headersOf(init) {
    const sent = list();
    if (init === undefined || init === null) return sent;
    const all = listOf(new Headers(init));
    for (let i = 0; i < all.length; i++) ArrayPrototypePush(sent, pairOf(all[i][0], all[i][1]));
    return sent;
  }

  function targetsOf(targets) {
    const named = list();
    if (targets === undefined || targets === null) return named;
    if (!ArrayIsArray(targets)) throw new TypeError("targets must be an array of strings");
    for (let i = 0; i < targets.length; i++) ArrayPrototypePush(named, text(targets[i], "a target"));
    return named;
  }

  const oracle = ObjectFreeze({
    /** What an HTTPS endpoint answers, signed: as `r3e-verify data` takes it. */
    async getCustomData(request) {
      if (request === null || typeof request !== "object") throw new TypeError("what to ask must be an object with a url");
      const { url, headers, path, targets } = request;
      const reply = await hostCall({
        __proto__: null,
        op: "oracle_data",
        url: text(url, "a URL"),
        headers: headersOf(headers),
        path: path === undefined || path === null ? null : text(path, "a path"),
        targets: targetsOf(targets),
      });
      return JSONParse(reply.data);
    },
    /** The weather at a place; its numbers are decimal text. */
    async getWeather(place, options = undefined) {
      const targets = options === undefined || options === null ? undefined : options.targets;
      const reply = await hostCall({
        __proto__: null,
        op: "oracle_weather",
        place: text(place, "a place"),
        targets: targetsOf(targets),
      });
      return {
        place: reply.place,
        country: reply.country,
        latitude: reply.latitude,
        longitude: reply.longitude,
        time: reply.time,
        temperatureC: reply.temperature_c,
        humidityPercent: reply.humidity_percent,
        precipitationMm: reply.precipitation_mm,
        windKmh: reply.wind_kmh,
        windDirectionDegrees: reply.wind_direction_degrees,
        weatherCode: reply.weather_code,
        data: JSONParse(reply.data),
      };
    },
    /** What one of the tenant's feeds said last; its numbers are decimal text. */
    async getPrice(feed) {
      const reply = await hostCall({ __proto__: null, op: "oracle_price", feed: text(feed, "a feed's name") });
      return {
        feed: reply.feed,
        pair: reply.pair,
        answer: reply.answer,
        confidence: reply.confidence,
        decimals: reply.decimals,
        observedAtMs: reply.observed_at_ms,
        validUntilMs: reply.valid_until_ms,
        sequence: reply.sequence,
        isStale: reply.is_stale,
      };
    },
    /** A whole number from `min` to `max` that nobody can foretell or choose; of a seed, always the same one. */
    async getRandom(min, max, seed = undefined) {
      return (await drawn(min, max, seed)).value;
    },
    /** The same, with what proves it. */
    async getRandomness(min, max, seed = undefined) {
      const { value, message, output, proof, key } = await drawn(min, max, seed);
      return { value, min, max, message, output, proof, key };
    },
  });

  // What JSON has no form for, as the decimal text that the appliance takes.
  const exactly = (_, value) => (typeof value === "bigint" ? "" + value : value);

  function argsOf(args) {
    if (args === undefined || args === null) return "[]";
    if (!ArrayIsArray(args)) throw new TypeError("args must be an array");
    return JSONStringify(args, exactly);
  }

  function optional(value, what) {
    return value === undefined || value === null ? null : text(value, what);
  }

  /** In a chain's smallest unit, which takes more than a number holds. */
  function amount(value, what) {
    if (typeof value === "number") value = number(value, what);
    else if (typeof value !== "bigint" && typeof value !== "string") throw new TypeError(what + " must be a bigint, decimal text or a whole number");
    return "" + value;
  }

  function sentOf({ name, stage, outcome, succeeded, hash, height, reason }) {
    return { name, stage, outcome, succeeded, hash, height, reason };
  }

  const chain = ObjectFreeze({
    /** What a contract of a granted network says, as enough of its nodes agree. */
    async read(request) {
      if (request === null || typeof request !== "object") throw new TypeError("what to read must be an object with a network and a contract");
      const { network, contract, method, args, data, confirmations } = request;
      const reply = await hostCall({
        __proto__: null,
        op: "chain_read",
        network: text(network, "a network"),
        contract: text(contract, "a contract"),
        method: optional(method, "a method"),
        args: argsOf(args),
        data: optional(data, "data"),
        confirmations: confirmations === undefined || confirmations === null ? 0 : number(confirmations, "confirmations"),
      });
      return { height: reply.height, values: JSONParse(reply.values), data: reply.data };
    },
    /** Has a transaction brought onto a granted network by a granted wallet; how far it is. Under one key the same is done once. */
    async send(request) {
      if (request === null || typeof request !== "object") throw new TypeError("what to send must be an object with a wallet and a network");
      const { wallet, network, to, method, args, data, value, gasLimit, feeLimit, scope, timeoutMs, key } = request;
      const reply = await hostCall({
        __proto__: null,
        op: "chain_send",
        wallet: text(wallet, "a wallet"),
        network: text(network, "a network"),
        to: text(to, "a recipient"),
        method: optional(method, "a method"),
        args: argsOf(args),
        data: optional(data, "data"),
        value: value === undefined || value === null ? "0" : amount(value, "a value"),
        gas_limit: gasLimit === undefined || gasLimit === null ? 0 : number(gasLimit, "gasLimit"),
        fee_limit: amount(feeLimit, "feeLimit"),
        scope: optional(scope, "a scope"),
        timeout_ms: timeoutMs === undefined || timeoutMs === null ? null : number(timeoutMs, "timeoutMs"),
        key: text(key, "a key"),
      });
      return sentOf(reply);
    },
    /** How far a transaction is that this function asked for. */
    async sent(name) {
      return sentOf(await hostCall({ __proto__: null, op: "chain_sent", name: text(name, "a transaction's name") }));
    },
  });

  const zk = ObjectFreeze({
    /** Proves that numbers are in their ranges, and shows nothing else of them; the proof, and what hides each number. */
    async createRangeProof(numbers, context = undefined) {
      if (!ArrayIsArray(numbers)) throw new TypeError("numbers must be an array of objects with value, min and max");
      const hidden = list();
      for (let i = 0; i < numbers.length; i++) {
        const { value, min, max, blinding } = numbers[i];
        const one = { __proto__: null, value: amount(value, "a number"), min: amount(min, "min"), max: amount(max, "max") };
        if (blinding !== undefined && blinding !== null) one.blinding = text(blinding, "a blinding");
        ArrayPrototypePush(hidden, one);
      }
      const asked = { __proto__: null, context: context === undefined || context === null || context === "" ? "" : text(context, "a context"), numbers: hidden };
      const reply = await hostCall({ __proto__: null, op: "zk_prove_ranges", asked: JSONStringify(asked) });
      return JSONParse(reply.made);
    },
    /** Whether a proof proves what it says: of its owner, its context, its bounds and its commitments. */
    async verifyRangeProof(proof) {
      const json = JSONStringify(proof);
      if (typeof json !== "string") throw new TypeError("a proof must be an object");
      const reply = await hostCall({ __proto__: null, op: "zk_verify_ranges", proof: json });
      return reply.holds;
    },
    /** Whether a Groth16 proof proves public signals by a verification key: what snarkjs writes of the three. */
    async verifyProof(key, signals, proof) {
      if (typeof key !== "object" || key === null) throw new TypeError("a verification key must be an object");
      if (typeof proof !== "object" || proof === null) throw new TypeError("a proof must be an object");
      if (!ArrayIsArray(signals)) throw new TypeError("public signals must be an array");
      const decimal = list();
      for (let i = 0; i < signals.length; i++) ArrayPrototypePush(decimal, amount(signals[i], "a public signal"));
      const asked = JSONStringify({ __proto__: null, key, signals: decimal, proof });
      const reply = await hostCall({ __proto__: null, op: "zk_verify_proof", asked });
      return reply.holds;
    },
  });

  const r3e = ObjectFreeze({ chain, events, oracle, secrets, store, tee, trigger, zk });

  internals.r3e = { r3e };
}
