"""Writes proto/vectors/report.json: reports of the oracle as other implementations sign them.

The EIP-712 digests are those of eth_account, Neo's messages are packed by the standard library, and the trees are computed as RFC 9162
defines them, by recursion.

    pip install eth-account==0.14.0
    python3 tests/chain/report-vectors.py > proto/vectors/report.json
"""

import hashlib
import json
import struct

from eth_account.messages import encode_typed_data
from eth_utils import keccak

DOMAIN = [("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address")]
REPORT = [
    ("feedId", "bytes32"), ("answer", "int256"), ("confidence", "uint256"), ("decimals", "uint8"), ("observedAt", "uint64"),
    ("validUntil", "uint64"), ("sequence", "uint64"), ("sources", "uint8"), ("configDigest", "bytes32"),
]
BATCH = [("root", "bytes32"), ("size", "uint32")]
TARGETS = [(1, "0x" + "11" * 20), (138, "0x" + "ab" * 20), (31337, "0x5fbdb2315678afecb367f032d93f642f64180aa3")]
NEO = (860833102, bytes(range(1, 21)))


def report(name, answer, confidence, decimals, observed, valid, sequence, sources, digest):
    feed = name.encode().ljust(32, b"\0") if isinstance(name, str) else name
    values = [feed, answer, confidence, decimals, observed, valid, sequence, sources, digest]
    return dict(zip([name for name, _ in REPORT], values, strict=True))


REPORTS = [
    report("BTC/USD", 6_400_012_345_678, 1_234_567, 8, 1_700_000_000, 1_700_003_600, 1, 7, bytes([7] * 32)),
    report("USD/NGN", -1, 0, 0, 0, 0, 2**63 - 1, 1, bytes(32)),
    report(bytes([255] * 32), 2**127 - 1, 2**127 - 1, 18, 2**63 - 1, 2**63 - 1, 2**63 - 1, 255, bytes([255] * 32)),
    report("ETH/BTC", -(2**127), 5, 18, 1, 2, 3, 4, hashlib.sha256(b"config").digest()),
    report("GAS/USD", 3_141_592, 100, 6, 1_763_000_000, 1_763_000_060, 42, 5, hashlib.sha256(b"another").digest()),
]


def typed(primary, fields, values, chain, contract):
    types = {"EIP712Domain": DOMAIN, primary: fields}
    return {
        "types": {name: [{"name": one, "type": kind} for one, kind in members] for name, members in types.items()},
        "primaryType": primary,
        "domain": {"name": "R3E Oracle", "version": "1", "chainId": chain, "verifyingContract": contract},
        "message": values,
    }


def digest(*arguments):
    message = encode_typed_data(full_message=typed(*arguments))
    return message.body, keccak(b"\x19\x01" + message.header + message.body)


def canonical(one):
    numbers = one["answer"].to_bytes(16, "little", signed=True) + one["confidence"].to_bytes(16, "little")
    fixed = struct.pack("<BQQQB", one["decimals"], one["observedAt"], one["validUntil"], one["sequence"], one["sources"])
    return one["feedId"] + numbers + fixed + one["configDigest"]


def neo(domain, content):
    magic, contract = NEO
    message = domain.ljust(16, b"\0") + struct.pack("<I", magic) + contract + content
    return {"message": message.hex(), "digest": hashlib.sha256(message).hexdigest()}


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return keccak(b"\x01" + root(leaves[:split]) + root(leaves[split:]))


def shown(one):
    struct_hash, _ = digest("Report", REPORT, one, *TARGETS[0])
    return {
        "feed_id": "0x" + one["feedId"].hex(), "answer": str(one["answer"]), "confidence": str(one["confidence"]),
        "decimals": one["decimals"], "observed_at_s": one["observedAt"], "valid_until_s": one["validUntil"],
        "sequence": one["sequence"], "sources": one["sources"], "config_digest": "0x" + one["configDigest"].hex(),
    }, {
        "canonical": canonical(one).hex(), "struct_hash": struct_hash.hex(), "neo": neo(b"r3e/1/neo-report", canonical(one)),
        "eip712": [digest("Report", REPORT, one, *target)[1].hex() for target in TARGETS],
    }


def batch(size):
    leaves = [keccak(b"\0" + digest("Report", REPORT, REPORTS[at % len(REPORTS)], *TARGETS[0])[0]) for at in range(size)]
    values = {"root": root(leaves), "size": size}
    return {
        "size": size, "root": values["root"].hex(), "neo": neo(b"r3e/1/neo-batch", values["root"] + struct.pack("<I", size)),
        "eip712": [digest("Batch", BATCH, values, *target)[1].hex() for target in TARGETS],
    }


def main():
    targets = [{"chain_id": chain, "contract": contract} for chain, contract in TARGETS]
    reports = [dict(zip(("report", "expected"), shown(one), strict=True)) for one in REPORTS]
    print(json.dumps({
        "made_by": "eth_account 0.14.0, by tests/chain/report-vectors.py", "evm": targets,
        "neo": {"magic": NEO[0], "contract": NEO[1].hex()}, "reports": reports,
        "batches": [batch(size) for size in (1, 2, 3, 4, 5, 7, 8, 11)],
    }, indent=1))


main()
