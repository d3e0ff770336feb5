// Runs test vectors that come as events: `{ kind, ...parameters, tests }`; gives the numbers of those that came out wrong.
const { subtle } = crypto;
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Whether the vector does what its document says; each throws or gives false for what must be refused. */
const KINDS = {
  async gcm({ key, iv, aad, pt, ct, tag, fails }) {
    const params = { name: "AES-GCM", iv: fromHex(iv), additionalData: fromHex(aad), tagLength: tag.length * 4 };
    const imported = await subtle.importKey("raw", fromHex(key), "AES-GCM", false, ["encrypt", "decrypt"]);
    const opened = await subtle.decrypt(params, imported, fromHex(ct + tag)).then(toHex, () => null);
    if (fails) return opened === null;
    return opened === pt && toHex(await subtle.encrypt(params, imported, fromHex(pt))) === ct + tag;
  },
  // Wycheproof also has codes that are cut, which the web's HMAC does not know: the whole code must begin with it.
  async hmac({ key, msg, tag, fails }, { hash }) {
    const imported = await subtle.importKey("raw", fromHex(key), { name: "HMAC", hash }, false, ["sign", "verify"]);
    const whole = toHex(await subtle.sign("HMAC", imported, fromHex(msg)));
    const right = await subtle.verify("HMAC", imported, fromHex(tag), fromHex(msg));
    return whole.startsWith(tag) === !fails && right === (whole === tag);
  },
  async ecdsa({ key, msg, sig, fails }, { namedCurve, hash }) {
    const imported = await subtle.importKey("raw", fromHex(key), { name: "ECDSA", namedCurve }, false, ["verify"]);
    return (await subtle.verify({ name: "ECDSA", hash }, imported, fromHex(sig), fromHex(msg))) === !fails;
  },
  async hkdf({ ikm, salt, info, size, okm, fails }, { hash }) {
    const imported = await subtle.importKey("raw", fromHex(ikm), "HKDF", false, ["deriveBits"]);
    const params = { name: "HKDF", hash, salt: fromHex(salt), info: fromHex(info) };
    const made = await subtle.deriveBits(params, imported, size * 8).then(toHex, () => null);
    return fails ? made === null : made === okm;
  },
};

export default async (event) => {
  const wrong = [];
  for (const test of event.tests) {
    if (!(await KINDS[event.kind](test, event))) wrong.push(test.id);
  }
  return wrong;
};
