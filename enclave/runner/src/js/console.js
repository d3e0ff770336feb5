// `console`: the Console standard. Each call is one line of the invocation's log, bounded here and again outside.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_log } = core.ops;
  const { coarseNow } = internals.events;
  const { format } = internals.format;
  const { domString } = internals.webidl;
  const {
    MathTrunc,
    NumberParseFloat,
    NumberParseInt,
    ObjectDefineProperty,
    SafeMap,
    String,
    StringPrototypeRepeat,
    SymbolPrototypeToString,
    SymbolToStringTag,
  } = primordials;

  const DEBUG = 0;
  const INFO = 1;
  const WARN = 2;
  const ERROR = 3;
  const MAX_CHARS = 8192;
  // Labels of counters and stopwatches, and groups within groups; what is above is left out.
  const MAX_LABELS = 1000;
  const MAX_INDENT = 20;

  const counts = new SafeMap();
  const starts = new SafeMap();
  let indent = 0;

  function emit(level, line) {
    op_r3e_log(level, indent > 0 ? StringPrototypeRepeat("  ", indent) + line : line);
  }

  // Section 2.1, "logger": only a first argument that is text has specifiers.
  function print(level, values, prefix) {
    let line = prefix;
    let at = 0;
    if (values.length > 1 && typeof values[0] === "string") {
      const filled = fill(values);
      line = line === "" ? filled.text : line + " " + filled.text;
      at = filled.used;
    }
    for (let i = at; i < values.length && line.length < MAX_CHARS; i++) {
      if (i > 0 || prefix !== "") line += " ";
      line += format(values[i]);
    }
    emit(level, line);
  }

  // Section 2.2, "Formatter".
  function fill(values) {
    const pattern = values[0];
    let text = "";
    let used = 1;
    let i = 0;
    for (; i < pattern.length && text.length < MAX_CHARS; i++) {
      const letter = pattern[i] === "%" ? pattern[i + 1] : undefined;
      if (letter === "%") {
        text += "%";
        i++;
      } else if (letter !== undefined && used < values.length && isSpecifier(letter)) {
        text += specified(letter, values[used++]);
        i++;
      } else {
        text += pattern[i];
      }
    }
    return { __proto__: null, text, used };
  }

  const isSpecifier = (letter) =>
    letter === "s" || letter === "d" || letter === "i" || letter === "f" || letter === "o" || letter === "O" || letter === "c";

  function specified(letter, value) {
    switch (letter) {
      case "s":
        return typeof value === "symbol" ? SymbolPrototypeToString(value) : format(value);
      case "c":
        return "";
      case "d":
      case "i":
        return number(value, (text) => NumberParseInt(text, 10));
      case "f":
        return number(value, NumberParseFloat);
      default:
        return format(value);
    }
  }

  // Of an object no number is made: that would run code of its own.
  function number(value, parse) {
    if (typeof value === "bigint") return format(value);
    if (typeof value === "symbol" || typeof value === "function" || (typeof value === "object" && value !== null)) return "NaN";
    return String(parse(String(value)));
  }

  function labelled(label) {
    return label === undefined ? "default" : domString(label);
  }

  function keep(map, label, value) {
    if (map.has(label) || map.size < MAX_LABELS) map.set(label, value);
  }

  function elapsed(label) {
    const start = starts.get(label);
    return start === undefined ? undefined : label + ": " + MathTrunc(coarseNow() - start) + " ms";
  }

  const console = {
    assert(condition = false, ...values) {
      if (!condition) print(ERROR, values, "Assertion failed");
    },
    clear() {
      indent = 0;
    },
    count(label = undefined) {
      const name = labelled(label);
      const count = (counts.get(name) ?? 0) + 1;
      keep(counts, name, count);
      emit(INFO, name + ": " + count);
    },
    countReset(label = undefined) {
      const name = labelled(label);
      if (!counts.delete(name)) emit(WARN, name + ": nothing was counted");
    },
    debug(...values) {
      print(DEBUG, values, "");
    },
    dir(item = undefined) {
      print(INFO, [item], "");
    },
    dirxml(...values) {
      print(INFO, values, "");
    },
    error(...values) {
      print(ERROR, values, "");
    },
    group(...values) {
      if (values.length > 0) print(INFO, values, "");
      if (indent < MAX_INDENT) indent++;
    },
    groupCollapsed(...values) {
      if (values.length > 0) print(INFO, values, "");
      if (indent < MAX_INDENT) indent++;
    },
    groupEnd() {
      if (indent > 0) indent--;
    },
    info(...values) {
      print(INFO, values, "");
    },
    log(...values) {
      print(INFO, values, "");
    },
    table(data = undefined) {
      print(INFO, [data], "");
    },
    time(label = undefined) {
      const name = labelled(label);
      if (starts.has(name)) emit(WARN, name + ": runs already");
      else keep(starts, name, coarseNow());
    },
    timeEnd(label = undefined) {
      const name = labelled(label);
      const text = elapsed(name);
      starts.delete(name);
      emit(text === undefined ? WARN : INFO, text ?? name + ": was not started");
    },
    timeLog(label = undefined, ...values) {
      const name = labelled(label);
      const text = elapsed(name);
      if (text === undefined) emit(WARN, name + ": was not started");
      else print(INFO, values, text);
    },
    trace(...values) {
      print(DEBUG, values, "Trace");
    },
    warn(...values) {
      print(WARN, values, "");
    },
  };
  ObjectDefineProperty(console, SymbolToStringTag, {
    __proto__: null,
    configurable: true,
    enumerable: false,
    value: "console",
    writable: false,
  });

  /** An event begins: what the one before left open is closed. */
  function forgetLabels() {
    primordials.MapPrototypeClear(counts);
    primordials.MapPrototypeClear(starts);
    indent = 0;
  }

  internals.console = { console, forgetLabels };
}
