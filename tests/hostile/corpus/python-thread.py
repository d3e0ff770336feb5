# attack: Starts threads without end.
# limit: none
# ends: function_error/thrown
import threading
def handler(event):
    while True:
        threading.Thread(target=handler, args=(event,)).start()
