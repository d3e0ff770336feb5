# attack: Never ends while its result is written.
# limit: cpu
# ends: cpu_limit
class Endless(dict):
    def items(self):
        # Without an item: those would be gathered, and the faster of two limits met.
        while True:
            pass
def handler(event):
    return Endless(a=1)
