// `performance`: High Resolution Time, with whole milliseconds (section 7 wants clocks coarse where neighbours are strangers).
"use strict";

{
  const { core, internals } = globalThis.__bootstrap;
  const { op_r3e_elapsed_ms, op_r3e_time_origin_ms } = core.ops;
  const { EventTarget, coarseNow } = internals.events;
  const { asInterface } = internals.webidl;

  let make;

  class Performance extends EventTarget {
    #brand;

    constructor(token = undefined) {
      internals.events.illegal(token);
      super();
    }

    static {
      make = () => new Performance(internals.events.OURS);
    }

    /** Whole milliseconds since the function's code was loaded; never goes back. */
    now() {
      this.#brand;
      return coarseNow();
    }

    get timeOrigin() {
      this.#brand;
      return op_r3e_time_origin_ms();
    }

    toJSON() {
      this.#brand;
      return { timeOrigin: op_r3e_time_origin_ms() };
    }
  }

  asInterface(Performance, "Performance");

  internals.performance = { Performance, performance: make() };
}
