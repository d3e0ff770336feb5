# attack: Sleeps for an hour, in Python.
# limit: wall
# ends: timeout
import time
def handler(event):
    time.sleep(3600)
