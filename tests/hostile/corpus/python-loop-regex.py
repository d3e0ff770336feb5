# attack: Matches by an expression that tries every way there is.
# limit: cpu
# ends: cpu_limit
import re
def handler(event):
    return bool(re.match("(a+)+$", "a" * 60 + "b"))
