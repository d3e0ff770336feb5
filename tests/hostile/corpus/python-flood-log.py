# attack: Prints without end.
# limit: cpu
# ends: cpu_limit
def handler(event):
    while True:
        print("log")
