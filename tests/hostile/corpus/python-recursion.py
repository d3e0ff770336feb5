# attack: Calls itself without end, in Python.
# limit: none
# ends: function_error/thrown
def handler(event):
    return handler(event)
