# attack: Has items gathered for its result for ever.
# limit: none
# ends: memory_limit
class Endless(dict):
    def items(self):
        item = ("a" * 4096, 1)
        while True:
            yield item[0] + "b", 1
def handler(event):
    return Endless(a=1)
