# attack: Writes what is no frame where its interpreter answers.
# limit: none
# ends: function_error/thrown
import os
def handler(event):
    os.write(1, b"X" * 100)
