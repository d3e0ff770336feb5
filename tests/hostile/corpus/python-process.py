# attack: Starts a process.
# limit: none
# ends: function_error/thrown
import subprocess
def handler(event):
    return subprocess.run(["/bin/sh", "-c", "id"], capture_output=True).stdout.decode()
