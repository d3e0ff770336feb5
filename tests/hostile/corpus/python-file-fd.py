# attack: Looks for descriptors by number, and finds the folder of the library inside its interpreter.
# limit: none
# ends: output [3]
import os
def handler(event):
    found = []
    for number in range(3, 64):
        try:
            os.fstat(number)
            found.append(number)
        except OSError:
            pass
    return found
