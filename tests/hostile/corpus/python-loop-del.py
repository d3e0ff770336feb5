# attack: Never ends in what a value does when it goes.
# limit: cpu
# ends: cpu_limit
class Last:
    def __del__(self):
        while True:
            pass
def handler(event):
    Last()
