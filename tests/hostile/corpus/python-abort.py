# attack: Aborts its interpreter.
# limit: none
# ends: function_error/thrown
import os
def handler(event):
    os.abort()
