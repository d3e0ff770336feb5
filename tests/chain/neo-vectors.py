"""Writes enclave/chain/tests/vectors/neo.json: what another implementation makes of keys, scripts, transactions and blocks.

    python3 -m venv v && v/bin/pip install neo-mamba==2.7.0
    v/bin/python tests/chain/neo-vectors.py > enclave/chain/tests/vectors/neo.json

Everything in it comes from fixed numbers, so that it is the same each time, but for the signatures in witnesses, which are drawn.
"""

import hashlib
import json

from neo3.core import cryptography, serialization, types
from neo3.network.payloads import block, transaction, verification
from neo3 import vm
from neo3.contracts import callflags, utils as contract_utils
from neo3.wallet import utils as wallet_utils


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def hash160(text):
    return types.UInt160(digest(text)[:20])


def hash256(text):
    return types.UInt256(digest(text))


PAIRS = [cryptography.KeyPair(private_key=digest(f"key {n}")) for n in range(3)]
KEYS = [pair.public_key for pair in PAIRS]


def raw(thing):
    with serialization.BinaryWriter() as writer:
        writer.write_serializable(thing)
        return writer.to_array().hex()


def accounts():
    out = []
    for key in KEYS:
        script = contract_utils.create_signature_redeemscript(key)
        account = contract_utils.to_script_hash(script) if hasattr(contract_utils, "to_script_hash") else None
        if account is None:
            account = wallet_utils.public_key_to_script_hash(key)
        out.append({
            "public_key": key.to_array().hex(),
            "script": script.hex(),
            "hash": f"0x{account}",
            "address": wallet_utils.script_hash_to_address(account),
        })
    return out


def multiple():
    """Accounts of several keys, named in another order than theirs."""
    out = []
    for threshold, count in [(1, 1), (1, 3), (2, 3), (3, 3)]:
        pairs = [cryptography.KeyPair(private_key=digest(f"key {n}")) for n in range(count)]
        keys = [pair.public_key for pair in pairs]
        script = contract_utils.create_multisig_redeemscript(threshold, keys)
        out.append({
            "threshold": threshold, "public_keys": [key.to_array().hex() for key in keys], "script": script.hex(),
        })
    return out


INTEGERS = sorted({
    sign * value + more
    for value in [0, 1, 16, 17] + [1 << bits for bits in (7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 254)]
    for sign in (1, -1)
    for more in (-1, 0, 1)
} | {(1 << 255) - 1, -(1 << 255)})


def scripts():
    out = {"integers": [], "bytes": [], "calls": []}
    for number in INTEGERS:
        out["integers"].append({"number": str(number), "script": vm.ScriptBuilder().emit_push(number).to_array().hex()})
    for length in (0, 1, 255, 256, 65535, 65536):
        script = vm.ScriptBuilder().emit_push(b"\x5a" * length).to_array()
        out["bytes"].append({"length": length, "head": script[: len(script) - length].hex()})
    contract = hash160("contract")
    call = vm.ScriptBuilder().emit_contract_call(contract, "totalSupply").to_array()
    out["calls"].append({"contract": f"0x{contract}", "method": "totalSupply", "arguments": "none", "script": call.hex()})
    arguments = [hash160("from"), hash160("to"), 12345678, None]
    call = vm.ScriptBuilder().emit_contract_call_with_args(contract, "transfer", arguments).to_array()
    out["calls"].append({"contract": f"0x{contract}", "method": "transfer", "arguments": "transfer", "script": call.hex()})
    arguments = ["text", True, False, [1, [b"\x01\x02"]], hash256("hash"), KEYS[0]]
    call = vm.ScriptBuilder().emit_contract_call_with_args(contract, "mixed", arguments).to_array()
    out["calls"].append({"contract": f"0x{contract}", "method": "mixed", "arguments": "mixed", "script": call.hex()})
    return out


def witness(n, message):
    signature = cryptography.sign(message, PAIRS[n].private_key)
    script = contract_utils.create_signature_redeemscript(KEYS[n])
    return verification.Witness(b"\x0c\x40" + signature, script)


def account(n):
    return wallet_utils.public_key_to_script_hash(KEYS[n]) if hasattr(wallet_utils, "public_key_to_script_hash") else \
        contract_utils.to_script_hash(contract_utils.create_signature_redeemscript(KEYS[n]))


def signers():
    scope = verification.WitnessScope
    plain = verification.Signer(account(0))
    lists = verification.Signer(
        account(1),
        scope.CALLED_BY_ENTRY | scope.CUSTOM_CONTRACTS | scope.CUSTOM_GROUPS,
        allowed_contracts=[hash160("a"), hash160("b")],
        allowed_groups=[KEYS[2]],
    )
    condition = verification.ConditionAnd([
        verification.ConditionNot(verification.ConditionCalledByContract(hash160("c"))),
        verification.ConditionOr([
            verification.ConditionScriptHash(hash160("d")) if hasattr(verification, "ConditionScriptHash")
            else verification.ConditionCalledByEntry(),
            verification.ConditionGroup(KEYS[0]),
        ]),
        verification.ConditionBool(True),
        verification.ConditionCalledByEntry(),
        verification.ConditionCalledByGroup(KEYS[1]),
    ])
    rules = verification.Signer(
        account(2),
        scope.WITNESS_RULES,
        rules=[
            verification.WitnessRule(verification.WitnessRuleAction.DENY, condition),
            verification.WitnessRule(verification.WitnessRuleAction.ALLOW, verification.ConditionBool(False)),
        ],
    )
    everywhere = verification.Signer(account(2), scope.GLOBAL)
    return [[plain], [lists, plain], [rules, plain, lists], [everywhere]]


def transactions():
    made = []
    attributes = [
        [],
        [transaction.HighPriorityAttribute()],
        [transaction.OracleResponse(7, transaction.OracleResponseCode.SUCCESS, b'{"a":1}')],
        [],
    ]
    for n, (who, what) in enumerate(zip(signers(), attributes)):
        tx = transaction.Transaction(
            version=0, nonce=1000 + n, system_fee=123456789 + n, network_fee=9876543 + n,
            valid_until_block=5760 + n, attributes=what, signers=who,
            script=vm.ScriptBuilder().emit_contract_call(hash160("contract"), f"m{n}").to_array(),
            witnesses=[], protocol_magic=860833102,
        )
        message = (860833102).to_bytes(4, "little") + tx.hash().to_array()
        order = {account(k): k for k in range(3)}
        tx.witnesses = [witness(order[one.account], message) for one in who]
        made.append((tx, message))
    return made


def blocks(txs):
    out = []
    for count in (0, 1, 2, 3, 4):
        header = block.Header(
            version=0, prev_hash=hash256("parent"), timestamp=1468595301000 + count, nonce=2083236893 << 16,
            index=100 + count, primary_index=count, next_consensus=hash160("next"), witness=witness(0, b"block"),
        )
        one = block.Block(header, [tx for tx, _ in txs[:count]])
        one.rebuild_merkle_root()
        out.append({
            "bytes": raw(one), "hash": f"0x{one.hash()}", "merkle_root": f"0x{one.merkle_root}",
            "transactions": [f"0x{tx.hash()}" for tx, _ in txs[:count]],
        })
    return out


def main():
    txs = transactions()
    print(json.dumps({
        "made_by": "neo-mamba 2.7.0, by tests/chain/neo-vectors.py",
        "accounts": accounts(),
        "multiple": multiple(),
        "scripts": scripts(),
        "transactions": [
            {"bytes": raw(tx), "hash": f"0x{tx.hash()}", "sign_data": message.hex(), "signers": len(tx.signers)}
            for tx, message in txs
        ],
        "blocks": blocks(txs),
    }, indent=1))


main()
