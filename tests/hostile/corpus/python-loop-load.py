# attack: Never ends while it is loaded, in Python.
# limit: cpu
# ends: cpu_limit
while True:
    pass
