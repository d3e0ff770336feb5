#!/usr/bin/env python3
"""Writes the vectors in this folder: a second implementation of SPEC.md, from the text alone.

    pip install cbor2 cryptography && python3 generate.py

Everything is derived from fixed bytes, so that a run changes nothing.
"""

import hashlib
import json
import pathlib
import struct

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
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


def messages():
    digest, name = filler("digest", 48), filler("name", 32)
    evidence = {1: filler("document", 300), 2: 5, 3: 13, 4: [filler("p0", 48), filler("p1", 48)], 5: digest, 6: b""}
    statements = {
        "sessions": ["r3e/1/sessions", digest, 13],
        "report_key": ["r3e/1/report-key", filler("report key", 32)],
        "function": ["r3e/1/function", filler("tenant", 16), filler("version", 32), b"data"],
    }
    return {
        "evidence": deterministic(evidence).hex(),
        "unavailable": deterministic({0: "try again"}).hex(),
        "statement_sessions": deterministic(statements["sessions"]).hex(),
        "statement_report_key": deterministic(statements["report_key"]).hex(),
        "statement_function": deterministic(statements["function"]).hex(),
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


write("bindings.json", bindings())
write("trees.json", trees())
write("messages.json", messages())
write("receipt.json", receipt())
write("sign-in.json", sign_in())
