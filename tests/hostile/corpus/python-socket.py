# attack: Opens a connection.
# limit: none
# ends: function_error/thrown
import socket
def handler(event):
    return socket.socket().connect(("169.254.169.254", 80))
