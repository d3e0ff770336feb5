# attack: Never ends while its result is written.
# limit: cpu
# ends: cpu_limit
class Endless(dict):
    def items(self):
        while True:
            yield "a", 1
def handler(event):
    return Endless(a=1)
