# attack: Counts its events, in Python.
# limit: none
# ends: output 1
# again: same
n = 0
def handler(event):
    global n
    n += 1
    return n
