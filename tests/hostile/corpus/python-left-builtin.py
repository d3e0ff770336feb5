# attack: Leaves a function in the place of one of the interpreter.
# limit: none
# ends: output 3
# again: same
import builtins
def handler(event):
    found = builtins.len("abc")
    builtins.len = lambda value: 7
    return found
