# attack: Draws the same randomness as its neighbour, in Python.
# limit: none
# ends: output
# again: differ
import random
def handler(event):
    return random.getrandbits(60)
