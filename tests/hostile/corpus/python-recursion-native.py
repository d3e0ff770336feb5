# attack: Nests calls of the interpreter itself.
# limit: none
# ends: function_error/thrown
# ends: memory_limit
import functools, sys
def handler(event):
    sys.setrecursionlimit(10 ** 9)
    call = int
    for _ in range(200_000):
        call = functools.partial(functools.partial, call)
    text = "[" * 50_000
    return repr(eval(compile("-" * 200_000 + "1", "a", "eval"))) + repr(call) + text
