#!/usr/bin/env python3
"""Writes the vectors in this folder: a second implementation of SPEC.md, from the text alone.

    pip install cbor2 cryptography && python3 generate.py

Everything is derived from fixed bytes, so that a run changes nothing.
"""

import hashlib
import hmac
import json
import pathlib
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent


def filler(label, size):
    """Bytes that look random and always come out the same."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(f"{label}/{len(out)}".encode()).digest()
    return out[:size]


def fields(*parts):
    joined = b"".join(struct.pack(">I", len(p)) + p for p in (p.encode() if isinstance(p, str) else p for p in parts))
    return hashlib.sha384(joined).digest()


def deterministic(value):
    return cbor2.dumps(value, canonical=True)


def write(name, content):
    (HERE / name).write_text(json.dumps(content, indent=1) + "\n")


def leaf(binding):
    return hashlib.sha384(b"\x00" + binding).digest()


def node(left, right):
    return hashlib.sha384(b"\x01" + left + right).digest()


def split(count):
    """The largest power of two below count (RFC 9162 section 2.1.1)."""
    return 1 << (count - 1).bit_length() - 1


def root(bindings):
    if len(bindings) == 1:
        return leaf(bindings[0])
    k = split(len(bindings))
    return node(root(bindings[:k]), root(bindings[k:]))


def path(index, bindings):
    if len(bindings) == 1:
        return []
    k = split(len(bindings))
    if index < k:
        return path(index, bindings[:k]) + [root(bindings[k:])]
    return path(index - k, bindings[k:]) + [root(bindings[:k])]


def bindings():
    cases = []
    for n, (role, spki, hpke) in enumerate([("server", 91, 0), ("client", 120, 32), ("server", 1024, 1024)]):
        nonce, ekm = filler(f"nonce{n}", 32), filler(f"ekm{n}", 32)
        key, public = filler(f"spki{n}", spki), filler(f"hpke{n}", hpke)
        config = hashlib.sha384(f"configuration {n}".encode()).digest()
        cases.append({
            "role": role, "nonce": nonce.hex(), "exporter": ekm.hex(), "spki": key.hex(), "alpn": "r3e/1",
            "configuration": config.hex(), "hpke_public_key": public.hex(),
            "binding": fields("r3e/1/session", role, nonce, ekm, key, "r3e/1", config, public).hex(),
            "public_binding": fields("r3e/1/public", nonce, key, config).hex(),
            "pcr16": hashlib.sha384(bytes(48) + config).hexdigest(),
        })
    return cases


def trees():
    cases = []
    for count in [1, 2, 3, 5, 8, 13, 33]:
        leaves = [hashlib.sha384(f"leaf {count} {i}".encode()).digest() for i in range(count)]
        cases.append({
            "bindings": [b.hex() for b in leaves], "root": root(leaves).hex(),
            "paths": [[p.hex() for p in path(i, leaves)] for i in range(count)],
        })
    return cases


def handoff():
    session, configuration = filler("session binding", 48), filler("successor configuration", 48)
    binding = fields("r3e/1/handoff-successor", session, configuration)
    root, identity, head = filler("root", 32), filler("identity", 32), filler("head", 32)
    manifest, document = filler("manifest", 200), filler("document", 300)
    return {
        "session": session.hex(), "configuration": configuration.hex(), "binding": binding.hex(),
        "statement": deterministic(["r3e/1/handoff-successor", binding]).hex(),
        "manifest": manifest.hex(), "document": document.hex(),
        "request": deterministic({1: manifest, 2: document, 3: configuration}).hex(),
        "root": root.hex(), "identity": identity.hex(), "sequence": 70_000, "head": head.hex(),
        "grant": deterministic({1: root, 2: identity, 3: 70_000, 4: head}).hex(),
        "lifecycle_request_predecessor": deterministic({1: 0}).hex(),
        "lifecycle_request_serving": deterministic({1: 1}).hex(),
        "lifecycle_request_failed": deterministic({1: 2, 2: "downgrade: it is older"}).hex(),
        "lifecycle_reply_none": deterministic({1: 0}).hex(),
        "lifecycle_reply_offered": deterministic({1: 1, 2: manifest}).hex(),
        "lifecycle_reply_noted": deterministic({1: 2}).hex(),
    }


def witness():
    key = Ed25519PrivateKey.from_private_bytes(filler("witness key", 32))
    report = Ed25519PrivateKey.from_private_bytes(filler("report key", 32))
    public, nonce, binding, head = raw_public(key), filler("nonce", 32), filler("binding", 48), filler("head", 32)
    sequence = 70_000
    number = sequence.to_bytes(8, "big")
    record = fields("r3e/1/witness-record", public, number, head)
    ask = fields("r3e/1/witness-ask", public, binding, nonce)
    some = fields("r3e/1/witnessed", public, nonce, number, head)
    none = fields("r3e/1/witnessed", public, nonce, b"", b"")
    identity, over = filler("identity", 32), 70_123
    order = deterministic(["r3e/1/restore-order", identity, sequence, head, over])
    message = fields("r3e/1/restore-approval", order)
    holders = [Ed25519PrivateKey.from_private_bytes(filler(f"restore key {n}", 32)) for n in range(3)]
    by = lambda holder: [raw_public(holder), holder.sign(message)]
    signed = lambda *signatures: deterministic(["r3e/1/signed-restore-order", order, list(signatures)]).hex()
    over_the_bytes = [raw_public(holders[2]), holders[2].sign(order)]
    return {
        "key": public.hex(), "report_key": raw_public(report).hex(), "nonce": nonce.hex(), "binding": binding.hex(),
        "sequence": sequence, "head": head.hex(),
        "record": record.hex(), "record_signature": key.sign(record).hex(),
        "ask": ask.hex(), "ask_signature": key.sign(ask).hex(),
        "witnessed": some.hex(), "statement": report.sign(some).hex(),
        "witnessed_none": none.hex(), "statement_none": report.sign(none).hex(),
        "identity": identity.hex(), "over": over, "order": order.hex(), "message": message.hex(),
        "threshold": 2, "keys": [raw_public(holder).hex() for holder in holders],
        "approved": {"two of three": signed(by(holders[2]), by(holders[0]))},
        "not_approved": {
            "nobody": signed(),
            "one of three": signed(by(holders[0])),
            "one of three, twice": signed(by(holders[0]), by(holders[0])),
            "one over the bytes, not the message": signed(by(holders[0]), over_the_bytes),
        },
        "lifecycle_request_restore_order": deterministic({1: 3}).hex(),
        "lifecycle_reply_restore_order": deterministic({1: 3, 2: order}).hex(),
    }


def messages():
    digest, name = filler("digest", 48), filler("name", 32)
    evidence = {1: filler("document", 300), 2: 5, 3: 13, 4: [filler("p0", 48), filler("p1", 48)], 5: digest, 6: b""}
    statements = {
        "sessions": ["r3e/1/sessions", digest, 13],
        "report_key": ["r3e/1/report-key", filler("report key", 32)],
        "unlock_setup": ["r3e/1/unlock-setup", digest],
        "oracle": ["r3e/1/oracle", filler("tenant", 16), filler("address", 20), filler("point", 33)],
        "random_key": ["r3e/1/random-key", filler("tenant", 16), filler("point", 33)],
        "function": ["r3e/1/function", filler("tenant", 16), filler("version", 32), b"data"],
    }
    return {
        "evidence": deterministic(evidence).hex(),
        "unavailable": deterministic({0: "try again"}).hex(),
        "statement_sessions": deterministic(statements["sessions"]).hex(),
        "statement_report_key": deterministic(statements["report_key"]).hex(),
        "statement_function": deterministic(statements["function"]).hex(),
        "statement_unlock_setup": deterministic(statements["unlock_setup"]).hex(),
        "statement_oracle": deterministic(statements["oracle"]).hex(),
        "statement_random_key": deterministic(statements["random_key"]).hex(),
        "random_seed": deterministic(["r3e/1/random", 1, "block 7"]).hex(),
        "random_function_seed": deterministic(["r3e/1/random", 2, "f", "block 7"]).hex(),
        "random_invocation": deterministic(["r3e/1/random", 3, "f", filler("invocation", 16), 2]).hex(),
        "random_job": deterministic(["r3e/1/random", 4, "f", filler("job", 16), 0]).hex(),
        "request_head": deterministic({0: 1, 1: 1}).hex(),
        "request_read": deterministic({0: 2, 1: 2, 2: name}).hex(),
        "request_list_first": deterministic({0: 3, 1: 3}).hex(),
        "request_list_next": deterministic({0: 2**40, 1: 3, 2: name}).hex(),
        "request_commit": deterministic(
            {0: 4, 1: 4, 2: filler("old head", 32), 3: b"new head", 4: [[name, b"sealed"]], 5: [filler("gone", 32)]}
        ).hex(),
        "request_slot_read": deterministic({0: 5, 1: 5}).hex(),
        "request_slot_write_first": deterministic({0: 6, 1: 6, 3: b"wrapped"}).hex(),
        "request_slot_write_next": deterministic({0: 7, 1: 6, 2: filler("old slot", 32), 3: b"wrapped"}).hex(),
        "response_no_head": deterministic({0: 1, 1: 1}).hex(),
        "response_record": deterministic({0: 2, 1: 2, 2: b"sealed"}).hex(),
        "response_page": deterministic({0: 3, 1: 3, 2: [[name, b"sealed"]], 3: True}).hex(),
        "response_committed": deterministic({0: 4, 1: 4}).hex(),
        "response_conflict": deterministic({0: 5, 1: 5}).hex(),
        "response_failed": deterministic({0: 6, 1: 6, 2: "disk full"}).hex(),
        "response_no_slot": deterministic({0: 7, 1: 7}).hex(),
        "response_slot": deterministic({0: 8, 1: 7, 2: b"wrapped"}).hex(),
        "egress_connect": deterministic({1: "api.example.com", 2: 443}).hex(),
        "egress_connected": deterministic({1: 0}).hex(),
        "egress_refused": deterministic({1: 3, 2: "10.0.0.1"}).hex(),
    }


LOG = [("info", "asked 3 venues"), ("error", "a\tb\nc")]


def log_hash(lines, truncated):
    joined = b"".join(struct.pack(">I", len(f)) + f.encode() for line in lines for f in line)
    return hashlib.sha256(joined + bytes([truncated])).digest()


def receipt():
    key = Ed25519PrivateKey.from_private_bytes(filler("report key seed", 32))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    payload = deterministic({
        1: "r3e/1/receipt", 2: filler("invocation", 16), 3: filler("tenant", 16), 4: "price",
        5: filler("version", 32), 6: hashlib.sha256(b'{"pair":"NEO/USD"}').digest(), 7: "ok",
        8: hashlib.sha256(b'{"price":"12.5"}').digest(), 9: log_hash(LOG, True),
        10: {1: 1200, 2: 3400, 3: 5600000, 4: 2, 5: 311}, 11: 42, 12: 1763000000000, 13: filler("configuration", 48),
    })
    protected = deterministic({1: -8})
    signature = key.sign(deterministic(["Signature1", protected, b"", payload]))
    signed = deterministic([protected, {}, payload, signature])
    bundle = {1: "r3e/1/receipt-bundle", 2: signed, 3: filler("document", 300)}
    return {"public_key": public.hex(), "signed": signed.hex(), "log": LOG, "bundle": deterministic(bundle).hex()}


def sign_in():
    key = Ed25519PrivateKey.from_private_bytes(filler("tenant seed", 32))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    binding = filler("binding", 48)
    cases = []
    for role in ["operator", "tenant"]:
        message = fields("r3e/1/sign-in", role, binding, public)
        cases.append({
            "role": role, "binding": binding.hex(), "public_key": public.hex(), "message": message.hex(),
            "signature": key.sign(message).hex(), "tenant": hashlib.sha256(public).hexdigest()[:32],
        })
    return cases


def times(a, b):
    """A product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def share(coefficients, index):
    """The polynomials, one a byte, at an index; each row of coefficients is one power, from the secret up."""
    value = bytes(len(coefficients[0]))
    for row in reversed(coefficients):
        value = bytes(times(v, index) ^ c for v, c in zip(value, row))
    return value


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def labeled_extract(suite, salt, label, ikm):
    return hmac_sha256(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, size):
    info = struct.pack(">H", size) + b"HPKE-v1" + suite + label + info
    out, block = b"", b""
    while len(out) < size:
        block = hmac_sha256(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:size]


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal(recipient, ephemeral, info, aad, plaintext):
    """HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    enc = raw_public(ephemeral)
    prk = labeled_extract(kem, b"", b"eae_prk", ephemeral.exchange(recipient.public_key()))
    shared = labeled_expand(kem, prk, b"shared_secret", enc + raw_public(recipient), 32)
    context = b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"") + labeled_extract(suite, b"", b"info_hash", info)
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    return enc, AESGCM(key).encrypt(nonce, plaintext, aad)


def commitment(root):
    """HKDF-SHA256 (RFC 5869) of the root under its own path."""
    prk = hmac_sha256(b"r3e/1/root-secret", root)
    return hmac_sha256(prk, b"r3e/1/identity" + b"\x01")


def unlock():
    threshold, names = 2, ["alice", "bob", "carol"]
    root, setup_id, binding = filler("root", 32), filler("setup", 16), filler("binding", 48)
    signing = [Ed25519PrivateKey.from_private_bytes(filler(f"{n} signs", 32)) for n in names]
    opening = [X25519PrivateKey.from_private_bytes(filler(f"{n} opens", 32)) for n in names]
    members = [[n, raw_public(s), raw_public(o)] for n, s, o in zip(names, signing, opening)]
    policy = b"r3e/1/unlock/quorum" + deterministic([threshold, members])
    policy_digest = hashlib.sha384(policy).digest()
    coefficients = [root] + [filler(f"coefficient {i}", 32) for i in range(1, threshold)]
    sealed, shares = [], []
    for index, (name, key) in enumerate(zip(names, opening), 1):
        one = share(coefficients, index)
        digest = fields("r3e/1/unlock-share", setup_id, bytes([index]), one)
        info = fields("r3e/1/unlock-seal", setup_id, name, bytes([index]))
        ephemeral = X25519PrivateKey.from_private_bytes(filler(f"ephemeral {index}", 32))
        enc, ciphertext = seal(key, ephemeral, info, commitment(root), one)
        sealed.append([digest, enc, ciphertext])
        shares.append({"share": one.hex(), "digest": digest.hex(), "info": info.hex()})
    setup = deterministic({
        1: "r3e/1/unlock-setup", 2: setup_id, 3: policy, 4: commitment(root), 5: 1763000000000, 6: sealed,
    })
    setup_digest = fields("r3e/1/unlock-setup", setup)
    init = fields("r3e/1/unlock-init", binding, policy_digest)
    attested = {1: "r3e/1/unlock-attested-setup", 2: setup, 3: filler("document", 300)}
    for one, key in zip(shares, signing):
        message = fields("r3e/1/unlock-approve", binding, setup_digest, bytes.fromhex(one["digest"]))
        one.update({"approve": message.hex(), "approve_signature": key.sign(message).hex()})
    return {
        "root": root.hex(), "commitment": commitment(root).hex(), "threshold": threshold, "binding": binding.hex(),
        "members": [
            {"name": n, "signing_seed": filler(f"{n} signs", 32).hex(), "encryption_private": filler(f"{n} opens", 32).hex()}
            for n in names
        ],
        "policy": policy.hex(), "policy_digest": policy_digest.hex(), "setup": setup.hex(),
        "setup_digest": setup_digest.hex(), "attested_setup": deterministic(attested).hex(),
        "init": init.hex(), "init_signature": signing[0].sign(init).hex(), "shares": shares,
    }


def release():
    image = lambda name: [filler(f"{name} PCR{n}", 48) for n in range(3)]
    measured = lambda name: [filler(f"{name} PCR{n}", 48) for n in (16, 17)]
    successor, predecessors = image("successor"), [image("older"), image("old")]
    one, another, third = measured("one configuration"), measured("another"), measured("a third")
    changes, appliance = [one + another, third + another], filler("identity", 32)
    release_of = lambda changes, appliance: deterministic(
        ["r3e/1/release", "1.4.0-rc.2", successor, 42, predecessors, changes, appliance])
    manifest = release_of(changes, appliance)
    message = fields("r3e/1/release-approval", manifest)
    keys = [Ed25519PrivateKey.from_private_bytes(filler(f"release key {n}", 32)) for n in range(3)]
    stranger = Ed25519PrivateKey.from_private_bytes(filler("stranger", 32))
    by = lambda key: [raw_public(key), key.sign(message)]
    signed = lambda *signatures: deterministic(["r3e/1/signed-release", manifest, list(signatures)]).hex()
    in_anothers_name = [raw_public(keys[2]), keys[1].sign(message)]
    over_the_bytes = [raw_public(keys[2]), keys[2].sign(manifest)]
    return {
        "version": "1.4.0-rc.2", "minimum_sequence": 42, "pcrs": [p.hex() for p in successor],
        "predecessors": [[p.hex() for p in i] for i in predecessors],
        "changes": [[p.hex() for p in c] for c in changes], "appliance": appliance.hex(),
        "manifest": manifest.hex(), "message": message.hex(), "threshold": 2, "keys": [raw_public(k).hex() for k in keys],
        "approved": {
            "two of three": signed(by(keys[0]), by(keys[2])),
            "the other order, and a stranger": signed(by(stranger), by(keys[2]), by(keys[1])),
            "a bad signature and a good one of one key": signed(over_the_bytes, by(keys[2]), by(keys[0])),
        },
        "not_approved": {
            "nobody": signed(),
            "one of three": signed(by(keys[0])),
            "one of three, twice": signed(by(keys[0]), by(keys[0])),
            "one of three and a stranger": signed(by(keys[0]), by(stranger)),
            "one in another's name": signed(by(keys[1]), in_anothers_name),
            "one over the bytes, not the message": signed(by(keys[1]), over_the_bytes),
        },
        "for_any_appliance": release_of([], b"").hex(),
        "refused": {
            "there and back": release_of([one + another, another + one], b"").hex(),
            "on from there": release_of([one + another, another + third], b"").hex(),
            "to itself": release_of([one + one], b"").hex(),
            "a change twice": release_of([one + another, one + another], b"").hex(),
            "a register of zero bytes": release_of([one + [another[0], bytes(48)]], b"").hex(),
            "half a change": release_of([one], b"").hex(),
            "half an identity": release_of([], appliance[:16]).hex(),
            "no appliance": deterministic(["r3e/1/release", "1.4.0-rc.2", successor, 42, predecessors, []]).hex(),
        },
        "unusable_keys": [key.hex() for key in unusable_keys()],
    }


def unusable_keys():
    """Every encoding of a point of edwards25519 whose order divides 8 (RFC 8032 section 5.1), and of a y not below p."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    root_of_minus_one = pow(2, (p - 1) // 4, p)

    def add(a, b):
        (x1, y1), (x2, y2) = a, b
        t = d * x1 * x2 * y1 * y2
        return (x1 * y2 + x2 * y1) * pow(1 + t, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - t, -1, p) % p

    def x_of(y):
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        for x in (pow(square, (p + 3) // 8, p), pow(square, (p + 3) // 8, p) * root_of_minus_one % p):
            if x * x % p == square:
                return x
        return None

    # A point of order 8: any point, times the prime order of the group's large part.
    prime_order, y, generator = 2**252 + 27742317777372353535851937790883648493, 2, None
    while generator is None:
        x, total = x_of(y), (0, 1)
        if x is not None:
            power, point = prime_order, (x, y)
            while power:
                total = add(total, point) if power & 1 else total
                point, power = add(point, point), power >> 1
            double = add(total, total)
            generator = total if add(double, double) != (0, 1) else None
        y += 1
    small, point = set(), (0, 1)
    for _ in range(8):
        small.add(point[1])
        point = add(point, generator)
    values = sorted(small) + [y for y in (p, p + 1, p + 18)]
    return [(y | sign << 255).to_bytes(32, "little") for y in values for sign in (0, 1)]


write("bindings.json", bindings())
write("trees.json", trees())
write("messages.json", messages())
write("receipt.json", receipt())
write("sign-in.json", sign_in())
write("unlock.json", unlock())
write("release.json", release())
write("handoff.json", handoff())
write("witness.json", witness())
