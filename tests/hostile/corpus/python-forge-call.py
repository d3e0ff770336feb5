# attack: Asks for a host call that there is none of, past the module r3e.
# limit: none
# ends: output
import json, os
def handler(event):
    body = json.dumps({"op": "exec", "path": "/bin/sh"}).encode()
    os.write(1, b"C" + len(body).to_bytes(4, "big") + body)
    size = int.from_bytes(os.read(0, 4), "big")
    return json.loads(os.read(0, size))["err"]["code"]
