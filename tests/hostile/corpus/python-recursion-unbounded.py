# attack: Takes the bound of calls away and calls itself without end.
# limit: none
# ends: function_error/thrown
# ends: memory_limit
# ends: cpu_limit
import sys
def handler(event):
    sys.setrecursionlimit(10 ** 9)
    def down(n):
        return [down(n + 1)]
    return down(0)
