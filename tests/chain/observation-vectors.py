"""Writes proto/vectors/observation.json: what HTTPS endpoints answered, as other implementations sign it.

The EIP-712 digests are those of eth_account, what Neo takes is packed by the standard library, and requests are encoded by cbor2.

    pip install eth-account==0.14.0 cbor2==5.6.5
    python3 tests/chain/observation-vectors.py > proto/vectors/observation.json
"""

import hashlib
import json
import struct

import cbor2
from eth_account.messages import encode_typed_data
from eth_utils import keccak

UNBOUND = [("name", "string"), ("version", "string")]
BOUND = [*UNBOUND, ("chainId", "uint256"), ("verifyingContract", "address")]
OBSERVATION = [
    ("functionName", "string"), ("url", "string"), ("path", "string"), ("value", "string"), ("status", "uint16"),
    ("observedAt", "uint64"), ("certificate", "bytes32"), ("responseHash", "bytes32"), ("requestHash", "bytes32"),
]
EVM = [(1, "0x" + "11" * 20), (31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")]
NEO = (860833102, bytes(range(1, 21)))


def request(url, headers=()):
    sent = sorted(((name.lower(), value) for name, value in headers), key=lambda pair: pair[0])
    message = cbor2.dumps(["r3e/1/data-request", "GET", url, [[name, value] for name, value in sent]], canonical=True)
    shown = [[name, value.hex()] for name, value in headers]
    return {"url": url, "headers": shown, "message": message.hex(), "hash": hashlib.sha256(message).hexdigest()}


REQUESTS = [
    request("https://api.example.com/v1/rate?of=EUR"),
    request("https://api.example.com/", [("X-Key", b"k"), ("Accept", b"b"), ("accept", b"a")]),
    request("https://api.example.com:8443/%C3%A9", [("authorization", b"Bearer \xff" + b"x" * 300)]),
]


def observation(function, url, path, value, status, observed, body, asked):
    values = [function, url, path, value, status, observed, hashlib.sha256(b"certificate").digest(), hashlib.sha256(body).digest(), asked]
    return dict(zip([name for name, _ in OBSERVATION], values, strict=True))


OBSERVATIONS = [
    observation(
        "rates", REQUESTS[0]["url"], "data.rate", "1.0830", 200, 1_763_000_000, b'{"data":{"rate":1.0830}}', bytes.fromhex(REQUESTS[0]["hash"])
    ),
    observation("f", "https://a.example/", "", "", 204, 0, b"", bytes(32)),
    observation("f" * 64, "https://a.example/" + "x" * 2030, "a" * 128, "é\n" * 85 + "x", 299, 2**63 - 1, b"\xff", bytes([255] * 32)),
]


def digest(values, members, domain):
    types = {"EIP712Domain": members, "Observation": OBSERVATION}
    message = encode_typed_data(full_message={
        "types": {name: [{"name": one, "type": kind} for one, kind in members] for name, members in types.items()},
        "primaryType": "Observation",
        "domain": {"name": "R3E Oracle", "version": "1"} | domain,
        "message": values,
    })
    return message.body, keccak(b"\x19\x01" + message.header + message.body)


def canonical(one):
    texts = [one[name].encode() for name in ("functionName", "url", "path", "value")]
    fixed = struct.pack("<HQ", one["status"], one["observedAt"]) + one["certificate"] + one["responseHash"] + one["requestHash"]
    return b"".join(struct.pack("<H", len(text)) + text for text in texts) + fixed


def expected(one):
    struct_hash, unbound = digest(one, UNBOUND, {})
    magic, contract = NEO
    message = b"r3e/1/neo-data".ljust(16, b"\0") + struct.pack("<I", magic) + contract + canonical(one)
    return {
        "canonical": canonical(one).hex(), "struct_hash": struct_hash.hex(), "unbound": unbound.hex(),
        "eip712": [digest(one, BOUND, {"chainId": chain, "verifyingContract": contract})[1].hex() for chain, contract in EVM],
        "neo": hashlib.sha256(message).hexdigest(),
    }


def shown(one):
    hashes = {ours: "0x" + one[theirs].hex() for ours, theirs in (
        ("certificate", "certificate"), ("response_hash", "responseHash"), ("request_hash", "requestHash"),
    )}
    texts = {name: one[name] for name in ("url", "path", "value", "status")}
    return {"function": one["functionName"], **texts, "observed_at_s": one["observedAt"], **hashes}


def main():
    print(json.dumps({
        "made_by": "eth_account 0.14.0 and cbor2, by tests/chain/observation-vectors.py",
        "evm": [f"eip155:{chain}:{contract}" for chain, contract in EVM],
        "neo": f"neo-n3:{NEO[0]}:0x{NEO[1][::-1].hex()}",
        "requests": REQUESTS,
        "observations": [{"observation": shown(one), "expected": expected(one)} for one in OBSERVATIONS],
    }, indent=1))


main()
