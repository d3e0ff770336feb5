# attack: Ends its interpreter.
# limit: none
# ends: function_error/thrown
import os
def handler(event):
    os._exit(0)
