# attack: Reads a file of the machine.
# limit: none
# ends: function_error/thrown
def handler(event):
    return open("/etc/passwd").read()
