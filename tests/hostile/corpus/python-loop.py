# attack: Never returns, in Python.
# limit: cpu
# ends: cpu_limit
def handler(event):
    while True:
        pass
