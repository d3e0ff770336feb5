// `console`: each call is one line of the invocation's log, bounded here and again outside.
"use strict";

{
  const { core, internals } = globalThis.__bootstrap;
  const { op_r3e_log } = core.ops;
  const { format } = internals.format;

  const DEBUG = 0;
  const INFO = 1;
  const WARN = 2;
  const ERROR = 3;
  const MAX_CHARS = 8192;

  function emit(level, values, prefix) {
    let line = prefix;
    for (let i = 0; i < values.length && line.length < MAX_CHARS; i++) {
      if (line !== "") line += " ";
      line += format(values[i]);
    }
    op_r3e_log(level, line);
  }

  const console = {
    debug(...values) {
      emit(DEBUG, values, "");
    },
    log(...values) {
      emit(INFO, values, "");
    },
    info(...values) {
      emit(INFO, values, "");
    },
    warn(...values) {
      emit(WARN, values, "");
    },
    error(...values) {
      emit(ERROR, values, "");
    },
    dir(value) {
      emit(INFO, [value], "");
    },
    assert(condition, ...values) {
      if (!condition) emit(ERROR, values, "Assertion failed");
    },
    trace(...values) {
      emit(DEBUG, values, "Trace");
    },
  };

  internals.console = { console };
}
