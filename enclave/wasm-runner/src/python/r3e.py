"""r3e: what this appliance offers a function. The same as in the other languages; every call waits for its answer."""

import base64 as _base64
import json as _json


class HostError(Exception):
    """A host call that was refused or failed; `code` is stable, the message is for people."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Response:
    """An HTTP response, whole."""

    def __init__(self, url, status, headers, body):
        self.url, self.status, self.body = url, status, body
        self.ok = 200 <= status < 300
        # A name that came twice has its values joined, as HTTP allows.
        self.headers = {}
        for name, value in headers:
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value

    def text(self):
        """The body as UTF-8 text."""
        return self.body.decode("utf-8", "replace")

    def json(self):
        """The body as the JSON value that it is."""
        return _json.loads(self.body)

    def __repr__(self):
        return f"<Response {self.status}>"


def fetch(url, *, method="GET", headers=None, body=None):
    """Sends an HTTP request to a host that the function was granted."""
    body = body.encode() if isinstance(body, str) else body
    reply = _call({
        "op": "fetch",
        "url": url,
        "method": method.upper(),
        "headers": _pairs(headers),
        "body_base64": None if body is None else _base64.b64encode(body).decode(),
    })
    return Response(url, reply["status"], reply["headers"], _base64.b64decode(reply["body_base64"]))


def _pairs(headers):
    pairs = headers.items() if hasattr(headers, "items") else headers or ()
    return [[str(name), str(value)] for name, value in pairs]


def _text(value, what):
    if not isinstance(value, str) or not value:
        raise TypeError(f"{what} must be a non-empty string")
    return value


def _number(value, what):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise TypeError(f"{what} must be a whole number from 0 to 2^53 - 1")
    return value


class _Secrets:
    def get(self, name):
        """The secret's value, or None when there is none of that name."""
        return _call({"op": "secret_get", "name": _text(name, "a secret's name")})["value"]

    def set(self, name, value):
        """Sets a secret that the function may set; durable once this returns."""
        _call({"op": "secret_set", "name": _text(name, "a secret's name"), "value": _text(value, "a secret")})


class _Store:
    def get(self, key):
        """The value last set under the key, or None."""
        value = _call({"op": "store_get", "key": _text(key, "a key")})["value"]
        return None if value is None else _json.loads(value)

    def set(self, key, value):
        """Keeps a JSON value under the key; durable once this returns."""
        text = _json.dumps(value, allow_nan=False, separators=(",", ":"))
        _call({"op": "store_set", "key": _text(key, "a key"), "value": text})

    def delete(self, key):
        """Forgets the key."""
        _call({"op": "store_set", "key": _text(key, "a key"), "value": None})


class _Events:
    def publish(self, topic, data, key=None):
        """Publishes an event, a JSON value: how many triggers queued a job for it, and how many could not."""
        text = _json.dumps(data, allow_nan=False, separators=(",", ":"))
        key = None if key is None else _text(key, "a key")
        reply = _call({"op": "publish", "topic": _text(topic, "a topic"), "data": text, "key": key})
        return {"queued": reply["queued"], "failed": reply["failed"]}


class _Tee:
    def get_attestation(self, data=None):
        """A fresh attestation document, as bytes, that commits to `data` (text or bytes)."""
        data = data.encode() if isinstance(data, str) else data
        encoded = None if data is None else _base64.b64encode(data).decode()
        return _base64.b64decode(_call({"op": "attestation", "data_base64": encoded})["document_base64"])


class _Trigger:
    def create(self, definition):
        """Makes a trigger that invokes this function; the same one again is the same trigger."""
        text = _json.dumps(definition, allow_nan=False, separators=(",", ":"))
        reply = _call({"op": "trigger_create", "definition": text})
        return {"name": reply["name"], "created": reply["created"]}

    def delete(self, name):
        """Deletes a trigger that this function made; False where there is none."""
        return _call({"op": "trigger_delete", "name": _text(name, "a trigger's name")})["deleted"]


class _Oracle:
    def get_price(self, feed):
        """What one of the tenant's feeds said last, a dict; its numbers are decimal text."""
        reply = _call({"op": "oracle_price", "feed": _text(feed, "a feed's name")})
        return {name: value for name, value in reply.items() if name != "op"}

    def get_random(self, min, max, seed=None):
        """A whole number from `min` to `max` that nobody can foretell or choose; of a seed, always the same one."""
        return self.get_randomness(min, max, seed)["value"]

    def get_randomness(self, min, max, seed=None):
        """The same, with what proves it: a dict, which `r3e-verify random` takes as JSON."""
        if seed is not None and not isinstance(seed, str):
            raise TypeError("a seed must be a string")
        min, max = _number(min, "the least number"), _number(max, "the greatest number")
        reply = _call({"op": "oracle_random", "min": min, "max": max, "seed": seed})
        return {"value": reply["value"], "min": min, "max": max} | {name: reply[name] for name in ("message", "output", "proof", "key")}

    def get_custom_data(self, url, *, headers=None, path=None, targets=()):
        """What an HTTPS endpoint answers, signed: a dict, which `r3e-verify data` takes as JSON."""
        return _json.loads(_call({
            "op": "oracle_data",
            "url": _text(url, "a URL"),
            "headers": _pairs(headers),
            "path": None if path is None else _text(path, "a path"),
            "targets": [_text(target, "a target") for target in targets],
        })["data"])

    def get_weather(self, place, *, targets=()):
        """The weather at a place, a dict; its numbers are decimal text, and `data` is the signed answer."""
        targets = [_text(target, "a target") for target in targets]
        reply = _call({"op": "oracle_weather", "place": _text(place, "a place"), "targets": targets})
        weather = {name: value for name, value in reply.items() if name != "op"}
        return weather | {"data": _json.loads(reply["data"])}


class _Chain:
    def read(self, network, contract, method=None, args=(), *, data=None, confirmations=0):
        """What a contract of a granted network says, as enough of its nodes agree: a dict of `height`, `values` and `data`."""
        reply = _call({
            "op": "chain_read",
            "network": _text(network, "a network"),
            "contract": _text(contract, "a contract"),
            "method": None if method is None else _text(method, "a method"),
            "args": _json.dumps(_exactly(list(args)), allow_nan=False, separators=(",", ":")),
            "data": None if data is None else _text(_exactly(data), "data"),
            "confirmations": _number(confirmations, "confirmations"),
        })
        return {"height": reply["height"], "values": _json.loads(reply["values"]), "data": reply["data"]}

    def send(self, wallet, network, to, method=None, args=(), *, key, fee_limit, gas_limit=0, data=None, value=0, scope=None, timeout_ms=None):
        """Has a transaction brought onto a granted network by a granted wallet; how far it is, a dict. Under one key the same is done once."""
        return _sent(_call({
            "op": "chain_send",
            "wallet": _text(wallet, "a wallet"),
            "network": _text(network, "a network"),
            "to": _text(to, "a recipient"),
            "method": None if method is None else _text(method, "a method"),
            "args": _json.dumps(_exactly(list(args)), allow_nan=False, separators=(",", ":")),
            "data": None if data is None else _text(_exactly(data), "data"),
            "value": _text(_exactly(value), "a value"),
            "gas_limit": _number(gas_limit, "gas_limit"),
            "fee_limit": _text(_exactly(fee_limit), "fee_limit"),
            "scope": None if scope is None else _text(scope, "a scope"),
            "timeout_ms": None if timeout_ms is None else _number(timeout_ms, "timeout_ms"),
            "key": _text(key, "a key"),
        }))

    def sent(self, name):
        """How far a transaction is that this function asked for, a dict."""
        return _sent(_call({"op": "chain_sent", "name": _text(name, "a transaction's name")}))


class _Zk:
    def create_range_proof(self, numbers, context=""):
        """Proves that numbers, dicts of `value`, `min` and `max`, are in their ranges: a dict of the `proof` and what hides each number, `blindings`."""
        asked = {"context": context, "numbers": [_exactly(dict(one)) for one in numbers]}
        reply = _call({"op": "zk_prove_ranges", "asked": _json.dumps(asked, allow_nan=False, separators=(",", ":"))})
        return _json.loads(reply["made"])

    def verify_range_proof(self, proof):
        """Whether a proof proves what it says: of its owner, its context, its bounds and its commitments."""
        text = _json.dumps(proof, allow_nan=False, separators=(",", ":"))
        return _call({"op": "zk_verify_ranges", "proof": text})["holds"]

    def verify_proof(self, key, signals, proof):
        """Whether a Groth16 proof proves public signals by a verification key: what snarkjs writes of the three, dicts and a list."""
        if not isinstance(signals, (list, tuple)):
            raise TypeError("public signals must be a list")
        asked = {"key": key, "signals": [_text(_exactly(signal), "a public signal") for signal in signals], "proof": proof}
        text = _json.dumps(asked, allow_nan=False, separators=(",", ":"))
        return _call({"op": "zk_verify_proof", "asked": text})["holds"]


def _sent(reply):
    return {name: value for name, value in reply.items() if name != "op"}


def _exactly(value):
    # Numbers as decimal text, since most readers of JSON round them; bytes as hexadecimal digits.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return "0x" + value.hex()
    if isinstance(value, (list, tuple)):
        return [_exactly(one) for one in value]
    if isinstance(value, dict):
        return {name: _exactly(one) for name, one in value.items()}
    return value


chain, events, oracle, secrets, store, tee, trigger, zk = _Chain(), _Events(), _Oracle(), _Secrets(), _Store(), _Tee(), _Trigger(), _Zk()
