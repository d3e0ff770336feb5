# attack: Reads the clock until it shows less than a millisecond, in Python.
# limit: none
# ends: output true
import time
def handler(event):
    return all(time.time_ns() % 1_000_000 == 0 and time.monotonic_ns() % 1_000_000 == 0 for _ in range(20_000))
