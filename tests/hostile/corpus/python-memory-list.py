# attack: Fills a list without end.
# limit: none
# ends: memory_limit
def handler(event):
    kept = []
    while True:
        kept.append(bytearray(1 << 16))
