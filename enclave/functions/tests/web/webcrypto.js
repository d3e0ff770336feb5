// The Web Cryptography API. Known answers are of the documents that are named; every Wycheproof vector is run by the
// test beside this script.
const { subtle } = crypto;
const sign = ["sign"];
const both = ["sign", "verify"];

table("digest of abc (FIPS 180-4)", [
  ["SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["SHA-384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"],
  ["SHA-512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"],
], async (name, expected) => {
  eq(toHex(await subtle.digest(name, utf8("abc"))), expected);
  eq(toHex(await subtle.digest({ name: name.toLowerCase() }, utf8("abc").buffer)), expected);
});

test("digest of nothing, and of a view", async () => {
  eq(toHex(await subtle.digest("SHA-256", bytes())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const view = new DataView(utf8("xabcx").buffer, 1, 3);
  eq(toHex(await subtle.digest("SHA-1", view)), "a9993e364706816aba3e25717850c26c9cd0d89d");
  ok((await subtle.digest("SHA-1", view)) instanceof ArrayBuffer, "an ArrayBuffer");
  await rejects("NotSupportedError", () => subtle.digest("MD5", bytes()));
  await rejects("NotSupportedError", () => subtle.digest("", bytes()));
  await rejects("NotSupportedError", () => subtle.digest("AES-GCM", bytes()));
  await rejects(TypeError, () => subtle.digest("SHA-256", "abc"));
  await rejects(TypeError, () => subtle.digest("SHA-256"));
  await rejects(TypeError, () => subtle.digest({}, bytes()));
  await rejects("NotSupportedError", () => subtle.digest(undefined, bytes()));
});

// RFC 4231 (and 2202 for SHA-1): key, data, and the code by each hash.
const RFC4231 = [
  ["SHA-1", "0b".repeat(20), "4869205468657265", "b617318655057264e28bc0b6fb378c8ef146be00"],
  ["SHA-1", "4a656665", toHex(utf8("what do ya want for nothing?")), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
  ["SHA-256", "0b".repeat(20), "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  ["SHA-384", "0b".repeat(20), "4869205468657265", "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"],
  ["SHA-512", "0b".repeat(20), "4869205468657265", "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"],
  ["SHA-256", "4a656665", toHex(utf8("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  ["SHA-256", "aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  ["SHA-512", "aa".repeat(131), toHex(utf8("Test Using Larger Than Block-Size Key - Hash Key First")), "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"],
];
table("HMAC (RFC 4231, RFC 2202)", RFC4231.map((row) => [row]), async ([hash, key, data, expected]) => {
  const imported = await subtle.importKey("raw", fromHex(key), { name: "hmac", hash }, true, both);
  eq(toHex(await subtle.sign("HMAC", imported, fromHex(data))), expected);
  eq(await subtle.verify({ name: "HMAC" }, imported, fromHex(expected), fromHex(data)), true);
  eq(await subtle.verify("HMAC", imported, fromHex(expected).subarray(1), fromHex(data)), false, "a shorter one");
  eq(await subtle.verify("HMAC", imported, fromHex(expected).map((b, i) => (i === 5 ? b ^ 1 : b)), fromHex(data)), false, "a changed one");
  eq(await subtle.verify("HMAC", imported, bytes(), fromHex(data)), false, "none");
  eq([imported.algorithm.name, imported.algorithm.hash.name, imported.algorithm.length], ["HMAC", hash, key.length * 4]);
  eq(toHex(await subtle.exportKey("raw", imported)), key);
});

test("HMAC keys", async () => {
  for (const [hash, length] of [["SHA-1", 512], ["SHA-256", 512], ["SHA-384", 1024], ["SHA-512", 1024]]) {
    const key = await subtle.generateKey({ name: "HMAC", hash }, true, both);
    eq([key.type, key.extractable, key.algorithm.length, key.usages], ["secret", true, length, both]);
    eq((await subtle.exportKey("raw", key)).byteLength * 8, length);
    const jwk = await subtle.exportKey("jwk", key);
    eq([jwk.kty, jwk.alg, jwk.ext, jwk.key_ops], ["oct", `HS${hash.slice(4)}`, true, both]);
    const again = await subtle.importKey("jwk", jwk, { name: "HMAC", hash }, false, sign);
    eq(toHex(await subtle.sign("HMAC", again, bytes(1))), toHex(await subtle.sign("HMAC", key, bytes(1))));
  }
  const odd = await subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 9 }, true, sign);
  const raw = new Uint8Array(await subtle.exportKey("raw", odd));
  eq([raw.length, raw[1] & 0x7f, odd.algorithm.length], [2, 0, 9]);
  await rejects("OperationError", () => subtle.generateKey({ name: "HMAC", hash: "SHA-256", length: 0 }, true, sign));
  await rejects("SyntaxError", () => subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, []));
  await rejects("SyntaxError", () => subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["encrypt"]));
  await rejects(TypeError, () => subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["nonsense"]));
  await rejects("NotSupportedError", () => subtle.generateKey({ name: "HMAC", hash: "MD5" }, true, sign));
  await rejects(TypeError, () => subtle.generateKey({ name: "HMAC" }, true, sign));
  const hash = "SHA-256";
  await rejects("DataError", () => subtle.importKey("raw", bytes(), { name: "HMAC", hash }, true, sign));
  await rejects("DataError", () => subtle.importKey("raw", bytes(1, 2), { name: "HMAC", hash, length: 17 }, true, sign));
  await rejects("DataError", () => subtle.importKey("raw", bytes(1, 2), { name: "HMAC", hash, length: 8 }, true, sign));
  await rejects("SyntaxError", () => subtle.importKey("raw", bytes(1), { name: "HMAC", hash }, true, []));
  await rejects("NotSupportedError", () => subtle.importKey("spki", bytes(1), { name: "HMAC", hash }, true, sign));
  await rejects(TypeError, () => subtle.importKey("nonsense", bytes(1), { name: "HMAC", hash }, true, sign));
  await rejects(TypeError, () => subtle.importKey("jwk", bytes(1), { name: "HMAC", hash }, true, sign));
  await rejects(TypeError, () => subtle.importKey("raw", { kty: "oct" }, { name: "HMAC", hash }, true, sign));
});

table("a JWK that is refused", [
  [{ kty: "RSA", k: "AQ" }], [{ kty: "oct" }], [{ kty: "oct", k: "A Q" }], [{ kty: "oct", k: "AQ==" }], [{ kty: "oct", k: "+/" }],
  [{ kty: "oct", k: "AQ", alg: "HS512" }], [{ kty: "oct", k: "AQ", use: "enc" }], [{ kty: "oct", k: "AQ", key_ops: ["verify"] }],
  [{ kty: "oct", k: "AQ", key_ops: ["sign", "sign"] }], [{ kty: "oct", k: "AQ", ext: false }],
], async (jwk) => {
  await rejects("DataError", () => subtle.importKey("jwk", jwk, { name: "HMAC", hash: "SHA-256" }, true, sign));
});

test("a key does what it is for", async () => {
  const key = await subtle.importKey("raw", bytes(1), { name: "HMAC", hash: "SHA-256" }, false, sign);
  await rejects("InvalidAccessError", () => subtle.verify("HMAC", key, bytes(), bytes()));
  await rejects("InvalidAccessError", () => subtle.exportKey("raw", key));
  await rejects("InvalidAccessError", () => subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes()));
  await rejects("NotSupportedError", () => subtle.sign("AES-GCM", key, bytes()));
  await rejects("NotSupportedError", () => subtle.encrypt("HMAC", key, bytes()));
  await rejects(TypeError, () => subtle.sign("HMAC", {}, bytes()));
  await rejects(TypeError, () => subtle.sign("HMAC", key, "text"));
});

test("what a script does to a key's members changes nothing", async () => {
  const key = await subtle.importKey("raw", bytes(1), { name: "HMAC", hash: "SHA-256" }, false, sign);
  ok(key.algorithm === key.algorithm && key.usages === key.usages, "the same objects");
  key.usages.push("verify");
  key.algorithm.name = "ECDSA";
  await rejects("InvalidAccessError", () => subtle.verify("HMAC", key, bytes(), bytes()));
  eq((await subtle.sign("HMAC", key, bytes())).byteLength, 32);
  throws(TypeError, () => { key.extractable = true; });
  eq(Object.prototype.toString.call(key), "[object CryptoKey]");
  eq(Object.keys(key), []);
});

test("the data is what it was when it was given", async () => {
  const data = bytes(1, 2, 3);
  const pending = subtle.digest("SHA-256", data);
  data.fill(0);
  eq(toHex(await pending), toHex(await subtle.digest("SHA-256", bytes(1, 2, 3))));
});

// The GCM specification of McGrew and Viega, test cases 1 to 4, 13, 14, 16: key, iv, plaintext, additional data, result.
const PLAIN = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const GCM = [
  ["0".repeat(32), "0".repeat(24), "", "", "58e2fccefa7e3061367f1d57a4e7455a"],
  ["0".repeat(32), "0".repeat(24), "0".repeat(32), "", "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"],
  ["feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", PLAIN, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"],
  ["0".repeat(64), "0".repeat(24), "", "", "530f8afbc74536b9a963b4f1c4cb738b"],
  ["0".repeat(64), "0".repeat(24), "0".repeat(32), "", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"],
  ["feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", PLAIN, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"],
  ["0".repeat(48), "0".repeat(24), "0".repeat(32), "", "98e7247c07f0fe411c267e4384b0f6002ff58d80033927ab8ef4d4587514f0fb"],
];
table("AES-GCM (McGrew and Viega)", GCM.map((row) => [row]), async ([key, iv, plain, aad, expected]) => {
  const imported = await subtle.importKey("raw", fromHex(key), "AES-GCM", false, ["encrypt", "decrypt"]);
  const params = { name: "AES-GCM", iv: fromHex(iv), ...(aad === "" ? {} : { additionalData: fromHex(aad) }) };
  const sealed = await subtle.encrypt(params, imported, fromHex(plain));
  eq(toHex(sealed), expected);
  eq(toHex(await subtle.decrypt(params, imported, sealed)), plain);
  for (const tagLength of [32, 64, 96, 104, 112, 120, 128]) {
    const short = await subtle.encrypt({ ...params, tagLength }, imported, fromHex(plain));
    eq(toHex(short), expected.slice(0, expected.length - 32 + tagLength / 4), `a tag of ${tagLength} bits`);
    eq(toHex(await subtle.decrypt({ ...params, tagLength }, imported, short)), plain);
  }
  const changed = new Uint8Array(sealed);
  changed[changed.length - 1] ^= 1;
  await rejects("OperationError", () => subtle.decrypt(params, imported, changed));
  await rejects("OperationError", () => subtle.decrypt({ ...params, additionalData: bytes(1) }, imported, sealed));
  await rejects("OperationError", () => subtle.decrypt(params, imported, bytes(1, 2)));
});

test("AES-GCM keys and parameters", async () => {
  for (const length of [128, 192, 256]) {
    const key = await subtle.generateKey({ name: "aes-gcm", length }, true, ["decrypt", "encrypt"]);
    eq([key.type, key.algorithm, key.usages], ["secret", { name: "AES-GCM", length }, ["encrypt", "decrypt"]]);
    const jwk = await subtle.exportKey("jwk", key);
    eq([jwk.kty, jwk.alg], ["oct", `A${length}GCM`]);
    const again = await subtle.importKey("jwk", jwk, "AES-GCM", true, ["encrypt"]);
    eq(toHex(await subtle.exportKey("raw", again)), toHex(await subtle.exportKey("raw", key)));
    await rejects("DataError", () => subtle.importKey("jwk", { ...jwk, alg: "A512GCM" }, "AES-GCM", true, ["encrypt"]));
  }
  for (const length of [0, 64, 127, 257]) await rejects("OperationError", () => subtle.generateKey({ name: "AES-GCM", length }, true, ["encrypt"]));
  await rejects(TypeError, () => subtle.generateKey({ name: "AES-GCM" }, true, ["encrypt"]));
  await rejects("SyntaxError", () => subtle.generateKey({ name: "AES-GCM", length: 128 }, true, sign));
  await rejects("DataError", () => subtle.importKey("raw", new Uint8Array(15), "AES-GCM", true, ["encrypt"]));
  const key = await subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt", "decrypt"]);
  await rejects(TypeError, () => subtle.encrypt({ name: "AES-GCM" }, key, bytes()));
  await rejects(TypeError, () => subtle.encrypt("AES-GCM", key, bytes()));
  await rejects("OperationError", () => subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12), tagLength: 24 }, key, bytes()));
  await rejects("OperationError", () => subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(0) }, key, bytes()));
  const iv = new Uint8Array(16);
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv }, key, bytes(7));
  eq(toHex(await subtle.decrypt({ name: "AES-GCM", iv }, key, sealed)), "07", "an iv of 16 bytes");
});

table("AES-GCM with an iv of other lengths", [[1], [8], [13], [32], [128]], async (length) => {
  const key = await subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt", "decrypt"]);
  const params = { name: "AES-GCM", iv: new Uint8Array(length) };
  eq(toHex(await subtle.decrypt(params, key, await subtle.encrypt(params, key, bytes(7)))), "07");
});

// RFC 6979, A.2.5 and A.2.6: signatures that are drawn so are the same every time, and verify everywhere.
const EC = {
  "P-256": {
    d: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    x: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    y: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    hash: "SHA-256",
    signature: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  },
  "P-384": {
    d: "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    x: "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13",
    y: "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    hash: "SHA-384",
    signature: "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
  },
};
const url64 = (hex) => btoa(String.fromCharCode(...fromHex(hex))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

table("ECDSA (RFC 6979)", [["P-256"], ["P-384"]], async (namedCurve) => {
  const { d, x, y, hash, signature } = EC[namedCurve];
  const algorithm = { name: "ECDSA", namedCurve };
  const jwk = { kty: "EC", crv: namedCurve, x: url64(x), y: url64(y) };
  const publicKey = await subtle.importKey("jwk", jwk, algorithm, true, ["verify"]);
  const privateKey = await subtle.importKey("jwk", { ...jwk, d: url64(d) }, algorithm, true, sign);
  const params = { name: "ECDSA", hash };
  const data = utf8("sample");
  eq(await subtle.verify(params, publicKey, fromHex(signature), data), true);
  eq(toHex(await subtle.sign(params, privateKey, data)), signature, "drawn by RFC 6979");
  eq(await subtle.verify(params, publicKey, fromHex(signature), utf8("Sample")), false);
  eq(await subtle.verify(params, publicKey, fromHex(signature).subarray(1), data), false);
  eq(await subtle.verify(params, publicKey, fromHex("00".repeat(signature.length / 2)), data), false);
  eq(toHex(await subtle.exportKey("raw", publicKey)), `04${x}${y}`);
  const exported = await subtle.exportKey("jwk", privateKey);
  eq([exported.kty, exported.crv, exported.x, exported.y, exported.d, exported.ext, exported.key_ops], ["EC", namedCurve, jwk.x, jwk.y, url64(d), true, sign]);
  for (const other of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]) {
    const made = await subtle.sign({ name: "ECDSA", hash: other }, privateKey, data);
    eq(await subtle.verify({ name: "ECDSA", hash: { name: other } }, publicKey, made, data), true, other);
  }
});

table("ECDSA keys of one's own", [["P-256", 32], ["P-384", 48]], async (namedCurve, size) => {
  const algorithm = { name: "ECDSA", namedCurve };
  const { privateKey, publicKey } = await subtle.generateKey(algorithm, true, both);
  eq([privateKey.type, privateKey.usages, privateKey.extractable, publicKey.type, publicKey.usages], ["private", sign, true, "public", ["verify"]]);
  eq(privateKey.algorithm, { name: "ECDSA", namedCurve });
  const params = { name: "ECDSA", hash: "SHA-256" };
  const signature = await subtle.sign(params, privateKey, bytes(1));
  eq(signature.byteLength, 2 * size);
  for (const format of ["raw", "spki", "jwk"]) {
    const exported = await subtle.exportKey(format, publicKey);
    const again = await subtle.importKey(format, exported, algorithm, true, ["verify"]);
    eq(await subtle.verify(params, again, signature, bytes(1)), true, format);
    if (format === "raw") eq([exported.byteLength, new Uint8Array(exported)[0]], [2 * size + 1, 4]);
  }
  for (const format of ["pkcs8", "jwk"]) {
    const again = await subtle.importKey(format, await subtle.exportKey(format, privateKey), algorithm, true, sign);
    eq(await subtle.verify(params, publicKey, await subtle.sign(params, again, bytes(2)), bytes(2)), true, format);
  }
  const hidden = await subtle.generateKey(algorithm, false, both);
  eq([hidden.privateKey.extractable, hidden.publicKey.extractable], [false, true]);
  await rejects("InvalidAccessError", () => subtle.exportKey("pkcs8", hidden.privateKey));
  await rejects("InvalidAccessError", () => subtle.exportKey("spki", privateKey));
  await rejects("InvalidAccessError", () => subtle.exportKey("pkcs8", publicKey));
  await rejects("InvalidAccessError", () => subtle.sign(params, publicKey, bytes()));
  await rejects("SyntaxError", () => subtle.generateKey(algorithm, true, ["verify"]));
  await rejects("SyntaxError", () => subtle.generateKey(algorithm, true, ["encrypt"]));
});

test("ECDSA keys that are none", async () => {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { x, y, d } = EC["P-256"];
  const jwk = { kty: "EC", crv: "P-256", x: url64(x), y: url64(y) };
  await rejects("NotSupportedError", () => subtle.generateKey({ name: "ECDSA", namedCurve: "P-192" }, true, both));
  await rejects(TypeError, () => subtle.generateKey({ name: "ECDSA" }, true, both));
  for (const wrong of [
    { ...jwk, crv: "P-384" }, { ...jwk, x: jwk.y, y: jwk.x }, { ...jwk, x: undefined }, { ...jwk, x: "AA" }, { ...jwk, kty: "oct" },
    { ...jwk, use: "enc" }, { ...jwk, alg: "ES384" }, { ...jwk, y: `${jwk.y}=` },
  ]) await rejects("DataError", () => subtle.importKey("jwk", wrong, algorithm, true, ["verify"]), show(wrong));
  for (const wrong of ["00".repeat(32), "ff".repeat(32), d.slice(2), d.replace("c9", "c8")]) {
    await rejects("DataError", () => subtle.importKey("jwk", { ...jwk, d: url64(wrong) }, algorithm, true, sign), wrong);
  }
  for (const wrong of ["", "00", "04", `04${x}${x}`, `05${x}${y}`, `04${x}${y}00`]) {
    await rejects("DataError", () => subtle.importKey("raw", fromHex(wrong), algorithm, true, ["verify"]), wrong);
  }
  await rejects("DataError", () => subtle.importKey("spki", bytes(0x30, 0), algorithm, true, ["verify"]));
  await rejects("DataError", () => subtle.importKey("pkcs8", bytes(0x30, 0), algorithm, true, sign));
  await rejects("SyntaxError", () => subtle.importKey("raw", fromHex(`04${x}${y}`), algorithm, true, sign));
  const { publicKey, privateKey } = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, both);
  await rejects("DataError", async () => subtle.importKey("spki", await subtle.exportKey("spki", publicKey), algorithm, true, ["verify"]));
  await rejects("DataError", async () => subtle.importKey("pkcs8", await subtle.exportKey("pkcs8", privateKey), algorithm, true, sign));
  const compressed = fromHex(`03${x}`);
  eq(toHex(await subtle.exportKey("raw", await subtle.importKey("raw", compressed, algorithm, true, ["verify"]))), `04${x}${y}`);
});

test("the other curve of the standard", async () => {
  const pair = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-521" }, true, both);
  ok(pair.privateKey instanceof CryptoKey, "a key");
});

table("another algorithm of the standard", [["RSA-OAEP"], ["RSA-PSS"], ["RSASSA-PKCS1-v1_5"], ["ECDH"], ["Ed25519"], ["X25519"], ["AES-CBC"], ["AES-CTR"], ["AES-KW"]], async (name) => {
  const rsa = { modulusLength: 2048, publicExponent: bytes(1, 0, 1), hash: "SHA-256" };
  const usages = { "RSA-OAEP": ["encrypt", "decrypt"], ECDH: ["deriveBits"], X25519: ["deriveBits"], "AES-CBC": ["encrypt"], "AES-CTR": ["encrypt"], "AES-KW": ["wrapKey"] }[name] ?? both;
  await subtle.generateKey({ name, namedCurve: "P-256", length: 128, ...rsa }, true, usages);
});

// RFC 5869, appendix A: hash, key, salt, info, length, result.
const HKDF = [
  ["SHA-256", "0b".repeat(22), "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"],
  ["SHA-256", "0b".repeat(22), "", "", 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"],
  ["SHA-1", "0b".repeat(11), "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42, "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896"],
  ["SHA-1", "0c".repeat(22), "", "", 42, "2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48"],
];
table("HKDF (RFC 5869)", HKDF.map((row) => [row]), async ([hash, key, salt, info, length, expected]) => {
  const imported = await subtle.importKey("raw", fromHex(key), "HKDF", false, ["deriveBits", "deriveKey"]);
  const params = { name: "HKDF", hash, salt: fromHex(salt), info: fromHex(info) };
  eq(toHex(await subtle.deriveBits(params, imported, length * 8)), expected);
  const derived = await subtle.deriveKey(params, imported, { name: "AES-GCM", length: 256 }, true, ["encrypt"]);
  eq(toHex(await subtle.exportKey("raw", derived)), expected.slice(0, 64));
});

// RFC 6070 for SHA-1; RFC 7914, section 11, for SHA-256.
const PBKDF2 = [
  ["SHA-1", "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"],
  ["SHA-1", "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"],
  ["SHA-1", "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"],
  ["SHA-1", "pass\u0000word", "sa\u0000lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"],
  ["SHA-256", "passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"],
];
table("PBKDF2 (RFC 6070, RFC 7914)", PBKDF2.map((row) => [row]), async ([hash, password, salt, iterations, expected]) => {
  const key = await subtle.importKey("raw", utf8(password), "PBKDF2", false, ["deriveBits"]);
  eq(toHex(await subtle.deriveBits({ name: "PBKDF2", hash, salt: utf8(salt), iterations }, key, expected.length * 4)), expected);
});

test("derivation that cannot be", async () => {
  const hkdf = await subtle.importKey("raw", bytes(1), "HKDF", false, ["deriveBits"]);
  const params = { name: "HKDF", hash: "SHA-256", salt: bytes(), info: bytes() };
  await rejects("OperationError", () => subtle.deriveBits(params, hkdf, 9));
  await rejects("OperationError", () => subtle.deriveBits(params, hkdf, null));
  await rejects("OperationError", () => subtle.deriveBits(params, hkdf));
  await rejects("OperationError", () => subtle.deriveBits(params, hkdf, 255 * 32 * 8 + 8));
  eq((await subtle.deriveBits(params, hkdf, 255 * 32 * 8)).byteLength, 8160);
  eq((await subtle.deriveBits(params, hkdf, 0)).byteLength, 0);
  await rejects("InvalidAccessError", () => subtle.deriveKey(params, hkdf, { name: "AES-GCM", length: 128 }, true, ["encrypt"]));
  await rejects(TypeError, () => subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: bytes() }, hkdf, 8));
  await rejects("SyntaxError", () => subtle.importKey("raw", bytes(1), "HKDF", true, ["deriveBits"]));
  await rejects("SyntaxError", () => subtle.importKey("raw", bytes(1), "HKDF", false, []));
  await rejects("NotSupportedError", () => subtle.importKey("jwk", { kty: "oct", k: "AQ" }, "HKDF", false, ["deriveBits"]));
  await rejects("NotSupportedError", () => subtle.generateKey("HKDF", false, ["deriveBits"]));
  const pbkdf2 = await subtle.importKey("raw", bytes(), "PBKDF2", false, ["deriveBits"]);
  await rejects("OperationError", () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes(), iterations: 0 }, pbkdf2, 8));
  await rejects(TypeError, () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: bytes() }, pbkdf2, 8));
});

test("deriveKey to HMAC", async () => {
  const key = await subtle.importKey("raw", bytes(1), "HKDF", false, ["deriveKey"]);
  const params = { name: "HKDF", hash: "SHA-256", salt: bytes(), info: bytes() };
  const derived = await subtle.deriveKey(params, key, { name: "HMAC", hash: "SHA-512" }, true, sign);
  eq([derived.algorithm.length, (await subtle.exportKey("raw", derived)).byteLength], [1024, 128]);
  const sized = await subtle.deriveKey(params, key, { name: "HMAC", hash: "SHA-256", length: 256 }, false, sign);
  eq([sized.algorithm.length, sized.extractable], [256, false]);
});

test("wrapping", async () => {
  const wrapping = await subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
  const params = { name: "AES-GCM", iv: new Uint8Array(12) };
  const key = await subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, both);
  for (const format of ["raw", "jwk"]) {
    const wrapped = await subtle.wrapKey(format, key, wrapping, params);
    const again = await subtle.unwrapKey(format, wrapped, wrapping, params, { name: "HMAC", hash: "SHA-256" }, true, sign);
    eq(toHex(await subtle.exportKey("raw", again)), toHex(await subtle.exportKey("raw", key)));
  }
  const pair = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, both);
  const wrapped = await subtle.wrapKey("pkcs8", pair.privateKey, wrapping, params);
  const again = await subtle.unwrapKey("pkcs8", wrapped, wrapping, params, { name: "ECDSA", namedCurve: "P-256" }, false, sign);
  eq(again.type, "private");
  await rejects("InvalidAccessError", () => subtle.wrapKey("raw", wrapping, wrapping, params));
  await rejects("InvalidAccessError", () => subtle.encrypt(params, wrapping, bytes()));
});

test("random values", () => {
  for (const View of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array]) {
    const view = new View(16);
    ok(crypto.getRandomValues(view) === view, "the same view");
    ok([...view].some((value) => Number(value) !== 0), View.name);
  }
  const part = new Uint8Array(48);
  crypto.getRandomValues(part.subarray(16, 32));
  eq([toHex(part.slice(0, 16)), toHex(part.slice(32))], ["00".repeat(16), "00".repeat(16)], "that part alone");
  for (const wrong of [new Float32Array(1), new Float64Array(1), new DataView(new ArrayBuffer(1))]) throws("TypeMismatchError", () => crypto.getRandomValues(wrong));
  for (const wrong of [new ArrayBuffer(1), [], {}, null, 1, undefined]) throws(TypeError, () => crypto.getRandomValues(wrong));
  eq(throws("QuotaExceededError", () => crypto.getRandomValues(new Uint8Array(65537))).code, 22);
  eq(crypto.getRandomValues(new Uint8Array(65536)).length, 65536);
  eq(crypto.getRandomValues(new Uint8Array(0)).length, 0);
});

test("randomUUID (RFC 9562)", () => {
  const made = new Set();
  for (let i = 0; i < 100; i++) {
    const id = crypto.randomUUID();
    ok(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id);
    made.add(id);
  }
  eq(made.size, 100);
  eq(Object.prototype.toString.call(crypto), "[object Crypto]");
  eq(Object.prototype.toString.call(crypto.subtle), "[object SubtleCrypto]");
  ok(crypto.subtle === crypto.subtle, "the same object");
});
