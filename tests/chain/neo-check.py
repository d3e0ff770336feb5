"""Judges transactions by another implementation, neo-mamba, and makes some: see tests/chain/tests/neo_mamba.rs.

    neo-check.py check FILE    each line a transaction: read, written, named and verified as it says
    neo-check.py make N        N lines, each a transaction as neo-mamba makes it, its hash and its fields
"""

import hashlib
import json
import random
import sys

# What neo-mamba itself hashes with; of OpenSSL not everybody has it.
from Crypto.Hash import RIPEMD160
from neo3 import vm
from neo3.core import cryptography, serialization, types
from neo3.network.payloads import transaction, verification

CHECK_SIGNATURE = bytes.fromhex("4156e7b327")


def raw(thing):
    with serialization.BinaryWriter() as writer:
        writer.write_serializable(thing)
        return writer.to_array()


def script_hash(script):
    return types.UInt160(RIPEMD160.new(hashlib.sha256(script).digest()).digest())


def keys_of(script):
    """The threshold and the keys of a verification script, of one key or of several."""
    if script.endswith(CHECK_SIGNATURE):
        return 1, [script[2:35]]
    threshold, count = script[0] - 0x10, script[-6] - 0x10
    keys = [script[3 + 35 * n : 36 + 35 * n] for n in range(count)]
    assert len(script) == 1 + 35 * count + 1 + 5, "a verification script of another form"
    return threshold, keys


def signatures_of(script):
    parts = [script[at : at + 66] for at in range(0, len(script), 66)]
    assert all(part[:2] == b"\x0c\x40" for part in parts), "an invocation script of another form"
    return [part[2:] for part in parts]


def check(one):
    given = bytes.fromhex(one["bytes"])
    tx = transaction.Transaction.deserialize_from_bytes(given)
    assert raw(tx) == given, "written otherwise"
    assert f"0x{tx.hash()}" == one["hash"], "named otherwise"
    for name in ("nonce", "system_fee", "network_fee", "valid_until_block"):
        assert getattr(tx, name) == one[name], name
    assert tx.script.hex() == one["script"]
    assert [f"0x{signer.account}" for signer in tx.signers] == one["accounts"]
    message = one["magic"].to_bytes(4, "little") + tx.hash().to_array()
    for signer, witness in zip(tx.signers, tx.witnesses, strict=True):
        assert script_hash(witness.verification_script) == signer.account, "another account's script"
        threshold, keys = keys_of(witness.verification_script)
        signatures = signatures_of(witness.invocation_script)
        assert len(signatures) == threshold, "another number of signatures"
        # As the machine verifies several: both lists in order.
        left = iter(keys)
        for signature in signatures:
            holds = (cryptography.verify_signature(message, signature, key) for key in left)
            assert any(holds), "a signature does not hold"


def make(number):
    drawn = random.Random(number)
    hash160 = lambda: types.UInt160(drawn.randbytes(20))
    pair = lambda: cryptography.KeyPair(private_key=hashlib.sha256(b"key %d" % drawn.randrange(8)).digest())
    scope = verification.WitnessScope
    signers = []
    for _ in range(drawn.randrange(1, 4)):
        rules = [
            verification.WitnessRule(
                drawn.choice(list(verification.WitnessRuleAction)),
                verification.ConditionAnd([
                    verification.ConditionNot(verification.ConditionCalledByContract(hash160())),
                    verification.ConditionOr([verification.ConditionGroup(pair().public_key), verification.ConditionCalledByEntry()]),
                    verification.ConditionScriptHash(hash160()),
                ]),
            )
            for _ in range(drawn.randrange(1, 3))
        ]
        signers.append(drawn.choice([
            verification.Signer(hash160(), scope.CALLED_BY_ENTRY),
            verification.Signer(hash160(), scope.GLOBAL),
            verification.Signer(hash160(), scope.NONE),
            verification.Signer(
                hash160(), scope.CUSTOM_CONTRACTS | scope.CUSTOM_GROUPS,
                allowed_contracts=[hash160(), hash160()], allowed_groups=[pair().public_key],
            ),
            verification.Signer(hash160(), scope.WITNESS_RULES, rules=rules),
        ]))
    attributes = drawn.choice([
        [],
        [transaction.HighPriorityAttribute()],
        [transaction.OracleResponse(drawn.randrange(1 << 64), transaction.OracleResponseCode.SUCCESS, drawn.randbytes(drawn.randrange(300)))],
    ])
    script = vm.ScriptBuilder().emit_contract_call(hash160(), "m" * drawn.randrange(1, 32)).to_array()
    tx = transaction.Transaction(
        version=0, nonce=drawn.randrange(1 << 32), system_fee=drawn.randrange(1 << 60), network_fee=drawn.randrange(1 << 60),
        valid_until_block=drawn.randrange(1 << 32), attributes=attributes, signers=signers, script=script,
        witnesses=[verification.Witness(drawn.randbytes(66), drawn.randbytes(drawn.randrange(0, 300))) for _ in signers],
    )
    return {"bytes": raw(tx).hex(), "hash": f"0x{tx.hash()}", "nonce": tx.nonce, "script": script.hex()}


def main():
    if sys.argv[1] == "check":
        with open(sys.argv[2]) as lines:
            count = 0
            for line in lines:
                one = json.loads(line)
                try:
                    check(one)
                except Exception as error:
                    raise SystemExit(f"transaction {count}: {error!r}: {one['bytes']}") from error
                count += 1
        print(count)
    else:
        for number in range(int(sys.argv[2])):
            print(json.dumps(make(number)))


main()
