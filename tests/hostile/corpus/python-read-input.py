# attack: Waits for an order that is not for it.
# limit: wall
# ends: timeout
import os
def handler(event):
    return os.read(0, 1)[0]
