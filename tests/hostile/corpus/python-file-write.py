# attack: Writes a file.
# limit: none
# ends: function_error/thrown
def handler(event):
    with open("/tmp/a", "w") as file:
        file.write("a")
