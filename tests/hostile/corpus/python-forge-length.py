# attack: Begins a frame of four thousand million bytes.
# limit: none
# ends: function_error/thrown
import os
def handler(event):
    os.write(1, b"R\xff\xff\xff\xff")
