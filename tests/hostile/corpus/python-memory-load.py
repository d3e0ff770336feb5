# attack: Fills its memory while it is loaded, in Python.
# limit: none
# ends: memory_limit
kept = [bytearray(1 << 16) for _ in range(1 << 16)]
def handler(event):
    pass
