# attack: Opens descriptors by number.
# limit: none
# ends: output []
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
