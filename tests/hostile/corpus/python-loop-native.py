# attack: Multiplies numbers of a million digits, inside one call of the interpreter.
# limit: cpu
# ends: cpu_limit
def handler(event):
    return len(str(3 ** (10 ** 8)))
