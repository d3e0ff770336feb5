# attack: Answers in the place of its interpreter, twice.
# limit: none
# ends: output 3
import os
def handler(event):
    os.write(1, b"R\0\0\0\x011")
    os.write(1, b"R\0\0\0\x012")
    return 3
