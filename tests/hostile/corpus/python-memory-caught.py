# attack: Catches that there is no more memory, and asks for more.
# limit: none
# ends: output 1
# ends: memory_limit
def handler(event):
    kept = []
    for _ in range(200):
        try:
            kept.append(bytearray(1 << 20))
        except MemoryError:
            pass
    kept.clear()
    return 1
