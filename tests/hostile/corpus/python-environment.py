# attack: Looks for what its interpreter was started with.
# limit: none
# ends: output [0,["function.py"]]
import os, sys
def handler(event):
    return [len(os.environ), sys.argv]
