# attack: Catches whatever ends it, for ever.
# limit: cpu
# ends: cpu_limit
def handler(event):
    while True:
        try:
            raise SystemExit
        except BaseException:
            pass
