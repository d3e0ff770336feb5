# attack: Asks the appliance without end, in Python.
# limit: none
# ends: host_call_limit
import r3e
def handler(event):
    while True:
        r3e.store.get("a")
