# attack: Asks for more than there is at once.
# limit: none
# ends: memory_limit
def handler(event):
    return len(bytearray(1 << 30))
