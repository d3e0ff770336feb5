"""Writes enclave/chain/tests/vectors/evm.json: blocks and logs as anvil answers with them, under the rules of several forks.

    tests/chain/setup
    python3 tests/chain/evm-vectors.py PATH_OF_ANVIL > enclave/chain/tests/vectors/evm.json
"""

import json
import socket
import subprocess
import sys
import time
import urllib.request

FORKS = ["berlin", "london", "paris", "shanghai", "cancun", "prague"]
ACCOUNT = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port, method, *parameters):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)
    if "error" in said:
        raise RuntimeError(said["error"])
    return said["result"]


def ready(port):
    for _ in range(200):
        try:
            return ask(port, "eth_chainId")
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("anvil did not start")


def receipt(port, transaction):
    for _ in range(200):
        found = ask(port, "eth_getTransactionReceipt", transaction)
        if found:
            return found
        time.sleep(0.05)
    raise RuntimeError("the transaction is in no block")


def emitter(topic):
    """A contract that says Ping(caller, first word of the call)."""
    runtime = "60003560005233" + "7f" + topic + "60206000a200"
    length = f"{len(runtime) // 2:02x}"
    return "0x60" + length + "600c60003960" + length + "6000f3" + runtime


def of_fork(anvil, fork):
    port = free_port()
    node = subprocess.Popen([anvil, "--port", str(port), "--silent", "--hardfork", fork, "--timestamp", "1700000000"])
    try:
        ready(port)
        topic = ask(port, "web3_sha3", "0x" + b"Ping(address,uint256)".hex())[2:]
        price = {"gasPrice": "0x77359400"} if fork == "berlin" else {"maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"}
        made = ask(port, "eth_sendTransaction", {"from": ACCOUNT, "data": emitter(topic), "gas": "0x30d40", **price})
        contract = receipt(port, made)["contractAddress"]
        word = "0x" + "00" * 16 + "112233445566778899aabbccddeeff00"
        said = ask(port, "eth_sendTransaction", {"from": ACCOUNT, "to": contract, "data": word, "gas": "0x30d40", **price})
        receipt(port, said)
        block = ask(port, "eth_getBlockByNumber", "0x2", False)
        logs = ask(port, "eth_getLogs", {"blockHash": block["hash"], "address": contract})
        return {"fork": fork, "contract": contract, "topic": "0x" + topic, "empty": ask(port, "eth_getBlockByNumber", "0x0", False),
                "block": block, "logs": logs}
    finally:
        node.terminate()
        node.wait()


def main():
    forks = [of_fork(sys.argv[1], fork) for fork in FORKS]
    print(json.dumps({"made_by": "anvil 1.7.1, by tests/chain/evm-vectors.py", "forks": forks}, indent=1))


main()
