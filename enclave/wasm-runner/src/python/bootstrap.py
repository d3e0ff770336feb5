# The loop of the interpreter that functions in Python run in. It is started once, before there is a function; then it waits for
# what to load, and for one event after another, in frames over standard input and output.
#
# to here:   4 bytes, the length; then a source, an event, or the answer of a host call
# from here: 1 byte, the kind; 4 bytes, the length; then
#   I  it waits             L  a level, and a line of the log     C  a host call, JSON
#   R  a result, JSON       F  a failure, JSON


def _main():
    # Names of this loop's own: a function may put others in the place of the interpreter's.
    from builtins import bytearray, bytes, callable, compile, exec, int, isinstance, len, memoryview, str, type

    import sys
    import io, json, os, random, traceback, types

    # What most functions import, so that it is there before any of them is loaded.
    import base64, collections, dataclasses, datetime, decimal, enum, fractions, functools, gc, hashlib, hmac, inspect
    import itertools, linecache, math, operator, re, statistics, string, textwrap, time, typing, urllib.parse, uuid

    FILE = "function.py"
    LINE_BYTES = 8193
    TEXT_CHARS = 3000
    read, write = os.read, os.write

    def send(kind, body=b""):
        rest = memoryview(kind + len(body).to_bytes(4, "big") + body)
        while rest:
            rest = rest[write(1, rest):]

    def exactly(count):
        got = bytearray()
        while len(got) < count:
            part = read(0, count - len(got))
            if not part:
                os._exit(1)
            got += part
        return got

    def receive():
        return exactly(int.from_bytes(exactly(4), "big")).decode()

    class Log(io.TextIOBase):
        encoding, errors = "utf-8", "backslashreplace"

        def __init__(self, level):
            self._level, self._line = bytes([level]), ""

        def writable(self):
            return True

        def write(self, text):
            lines = (self._line + text).split("\n")
            self._line = lines.pop()
            for line in lines:
                self._send(line)
            if len(self._line) > LINE_BYTES:
                self.end()
            return len(text)

        def end(self):
            if self._line:
                line, self._line = self._line, ""
                self._send(line)

        def _send(self, line):
            send(b"L", self._level + line.encode("utf-8", "backslashreplace")[:LINE_BYTES])

    out, err = Log(1), Log(3)
    sys.stdout, sys.stderr = out, err
    sys.stdin = io.StringIO()

    def call(request):
        send(b"C", json.dumps(request).encode())
        answer = json.loads(receive())
        if "err" in answer:
            raise r3e.HostError(answer["err"]["code"], answer["err"]["message"])
        return answer["ok"]

    r3e = types.ModuleType("r3e")
    r3e._call = call
    exec(compile(sys.argv[1], "r3e.py", "exec"), r3e.__dict__)
    sys.modules["r3e"] = r3e
    sys.argv = [FILE]

    def fail(kind, error):
        # One with a text is about something else: a parser's stack.
        if isinstance(error, MemoryError) and not error.args:
            kind = "memory"
        trace = error.__traceback__
        # The frames of this loop say nothing to the function's author.
        while trace is not None and trace.tb_frame.f_code.co_filename == "<string>":
            trace = trace.tb_next
        try:
            message = str(error)
            stack = "".join(traceback.format_exception(type(error), error, trace))
        except BaseException:
            message, stack = "an exception that has no text", ""
        name = type(error).__name__
        # A long one is of use at its end, where it says what happened.
        texts = {"name": name[:TEXT_CHARS], "message": message[:TEXT_CHARS], "stack": stack[-TEXT_CHARS:]}
        done(b"F", json.dumps({"kind": kind, **texts}).encode())

    def done(kind, body):
        out.end()
        err.end()
        send(kind, body)

    def load(source):
        lines = source.splitlines(True)
        linecache.cache[FILE] = (len(source), None, lines, FILE)
        try:
            code = compile(source, FILE, "exec", dont_inherit=True)
        except BaseException as error:
            return fail("module", error)
        module = types.ModuleType("function")
        module.__file__ = FILE
        sys.modules["function"] = module
        try:
            exec(code, module.__dict__)
        except BaseException as error:
            return fail("thrown", error)
        handler = module.__dict__.get("handler", module.__dict__.get("main"))
        if not callable(handler):
            return fail("no_handler", TypeError("the module defines no function `handler` or `main`"))
        try:
            parameters = inspect.signature(handler).parameters.values()
        except (TypeError, ValueError):
            parameters = ()
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        gc.collect()
        # What is here stays, and is not written to by the collector: it is shared by all copies.
        gc.freeze()
        done(b"R", b"null")
        return (lambda event: handler(event, r3e)) if len(positional) > 1 else handler

    def settled(result):
        if not inspect.iscoroutine(result):
            return result
        try:
            result.send(None)
        except StopIteration as ended:
            return ended.value
        result.close()
        raise RuntimeError("the handler awaits something that can never happen")

    def handle(handler, text):
        try:
            event = json.loads(text)
        except BaseException as error:
            return fail("event", error)
        # Every copy of this process began with the same state.
        random.seed()
        try:
            result = settled(handler(event))
        except BaseException as error:
            return fail("thrown", error)
        try:
            body = json.dumps(result, allow_nan=False, separators=(",", ":")).encode()
        except BaseException as error:
            return fail("result_not_json", error)
        done(b"R", body)

    gc.collect()
    gc.freeze()
    send(b"I")
    handler = load(receive())
    while handler is not None:
        handle(handler, receive())


_main()
