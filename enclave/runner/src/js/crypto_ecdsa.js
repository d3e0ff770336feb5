// ECDSA over P-256 and P-384: the Web Cryptography API, section 23. A public key is an uncompressed point, a private
// one a scalar; the arithmetic is done outside the engine.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const {
    op_r3e_ec_from_pkcs8,
    op_r3e_ec_from_spki,
    op_r3e_ec_generate,
    op_r3e_ec_point,
    op_r3e_ec_public,
    op_r3e_ec_to_pkcs8,
    op_r3e_ec_to_spki,
    op_r3e_ecdsa_sign,
    op_r3e_ecdsa_verify,
  } = core.ops;
  const { copyOf, joined, partOf } = internals.bytes;
  const { allow, checkJwk, fail, fromBase64Url, jwkOf, only, toBase64Url } = internals.cryptokey;
  const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;

  const sizeOf = TypedArrayPrototypeGetByteLength;
  const FIELD_BYTES = { __proto__: null, "P-256": 32, "P-384": 48 };
  const ES = { __proto__: null, "P-256": "ES256", "P-384": "ES384" };
  const UNCOMPRESSED = 4;

  /** What an op gives that may refuse. */
  function checked(result, what) {
    if (result === undefined || sizeOf(result) === 0) throw fail("DataError", what);
    return result;
  }

  const ecdsa = {
    __proto__: null,
    name: "ECDSA",

    read(operation, given) {
      if (operation === "sign" || operation === "verify") {
        return { __proto__: null, hash: internals.subtle.hashIn(given) };
      }
      if (given.namedCurve === undefined) throw new primordials.TypeError("ECDSA: namedCurve is missing");
      return { __proto__: null, curve: internals.webidl.domString(given.namedCurve) };
    },

    curve({ curve }) {
      if (FIELD_BYTES[curve] === undefined) throw fail("NotSupportedError", "ECDSA: the curve '" + curve + "' is not here");
      return curve;
    },

    generate(params, extractable, usages) {
      allow(usages, ["sign", "verify"]);
      const curve = this.curve(params);
      const scalar = op_r3e_ec_generate(curve);
      if (sizeOf(scalar) === 0) throw fail("OperationError", "ECDSA: no randomness");
      const point = op_r3e_ec_public(curve, scalar);
      const privateKey = this.made("private", curve, point, scalar, extractable, only(usages, ["sign"]));
      if (privateKey.usages.length === 0) throw fail("SyntaxError", "a private key without a use");
      const publicKey = this.made("public", curve, point, undefined, true, only(usages, ["verify"]));
      return { __proto__: null, privateKey, publicKey };
    },

    made(type, curve, point, scalar, extractable, usages) {
      return {
        __proto__: null,
        algorithm: this,
        type,
        extractable,
        usages,
        curve,
        point,
        scalar,
        shown: () => ({ name: "ECDSA", namedCurve: curve }),
      };
    },

    import(format, data, params, extractable, usages) {
      const isPrivate = format === "pkcs8" || (format === "jwk" && data.d !== undefined);
      allow(usages, isPrivate ? ["sign"] : ["verify"]);
      const curve = this.curve(params);
      let point;
      let scalar;
      if (format === "jwk") {
        ({ point, scalar } = this.fromJwk(data, curve, extractable, usages));
      } else if (format === "pkcs8") {
        scalar = checked(op_r3e_ec_from_pkcs8(curve, data), "ECDSA: this is no PKCS #8 key of that curve");
        point = op_r3e_ec_public(curve, scalar);
      } else if (format === "spki") {
        point = checked(op_r3e_ec_from_spki(curve, data), "ECDSA: this is no public key of that curve");
      } else {
        point = checked(op_r3e_ec_point(curve, data), "ECDSA: this is no point of that curve");
      }
      return this.made(isPrivate ? "private" : "public", curve, point, scalar, extractable, usages);
    },

    // RFC 7518, section 6.2.
    fromJwk(jwk, curve, extractable, usages) {
      checkJwk(jwk, "EC", "sig", extractable, usages);
      if (jwk.crv !== curve) throw fail("DataError", "the JWK's crv is not " + curve);
      if (jwk.alg !== undefined && jwk.alg !== ES[curve]) throw fail("DataError", "the JWK's alg is not " + ES[curve]);
      const field = FIELD_BYTES[curve];
      const x = fromBase64Url(jwk.x, "x");
      const y = fromBase64Url(jwk.y, "y");
      if (sizeOf(x) !== field || sizeOf(y) !== field) throw fail("DataError", "the JWK's coordinates have the wrong length");
      const written = joined(joined(new Uint8Array([UNCOMPRESSED]), x), y);
      const point = checked(op_r3e_ec_point(curve, written), "the JWK is no point of its curve");
      if (jwk.d === undefined) return { __proto__: null, point, scalar: undefined };
      const scalar = fromBase64Url(jwk.d, "d");
      const own = sizeOf(scalar) === field ? op_r3e_ec_public(curve, scalar) : undefined;
      if (!core.ops.op_r3e_equal(checked(own, "the JWK's d is no scalar of its curve"), point)) {
        throw fail("DataError", "the JWK's d and its point do not belong together");
      }
      return { __proto__: null, point, scalar };
    },

    export(format, inside) {
      const { curve, point, scalar } = inside;
      if (format === "jwk") {
        const field = FIELD_BYTES[curve];
        const x = toBase64Url(partOf(point, 1, 1 + field));
        const y = toBase64Url(partOf(point, 1 + field));
        const members = { kty: "EC", crv: curve, x, y };
        return jwkOf(scalar === undefined ? members : { ...members, d: toBase64Url(scalar) }, inside);
      }
      if ((format === "pkcs8") !== (inside.type === "private")) {
        throw fail("InvalidAccessError", "a " + inside.type + " key has no form '" + format + "'");
      }
      if (format === "pkcs8") return op_r3e_ec_to_pkcs8(curve, scalar);
      if (format === "spki") return op_r3e_ec_to_spki(curve, point);
      return copyOf(point);
    },

    sign({ hash }, inside, data) {
      if (inside.type !== "private") throw fail("InvalidAccessError", "signing takes the private key");
      const signature = op_r3e_ecdsa_sign(inside.curve, inside.scalar, hash, data);
      if (sizeOf(signature) === 0) throw fail("OperationError", "ECDSA: no signature");
      return signature;
    },

    verify({ hash }, inside, signature, data) {
      if (inside.type !== "public") throw fail("InvalidAccessError", "verifying takes the public key");
      return op_r3e_ecdsa_verify(inside.curve, inside.point, hash, signature, data);
    },
  };

  internals.cryptoecdsa = { ecdsa };
}
