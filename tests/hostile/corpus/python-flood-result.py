# attack: Returns more than it may, in Python.
# limit: none
# ends: output_limit
def handler(event):
    return "a" * 300_000
