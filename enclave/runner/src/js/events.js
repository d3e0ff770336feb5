// `Event`, `CustomEvent`, `EventTarget`: the DOM standard, section 2. There is no tree: an event has one target.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_elapsed_ms } = core.ops;
  const { DOMException } = internals.domexception;
  const { asInterface, constants, dictionary, domString, isObject, list, need, platform } = internals.webidl;
  const { ArrayPrototypePush, ArrayPrototypeSplice, ObjectDefineProperty, ReflectApply, Symbol, TypeError } = primordials;

  /** What constructors that scripts may not call are handed. */
  const OURS = Symbol("ours");

  function illegal(token) {
    if (token !== OURS) throw new TypeError("Illegal constructor");
  }

  const coarseNow = () => op_r3e_elapsed_ms();

  const NONE = 0;
  const AT_TARGET = 2;

  /** The inside of an event, for the two classes of this file. */
  let stateOf;
  let isTrusted;

  class Event {
    static {
      ArrayPrototypePush(platform, (value) => #state in value);
    }

    #state;

    static {
      stateOf = (event) => event.#state;
      isTrusted = function () {
        return this.#state.trusted;
      };
    }

    constructor(type, eventInitDict = undefined) {
      need(1, arguments.length, "Event");
      const name = domString(type);
      const { bubbles, cancelable, composed } = dictionary(eventInitDict, "Event: options");
      this.#state = {
        __proto__: null,
        type: name,
        bubbles: !!bubbles,
        cancelable: !!cancelable,
        composed: !!composed,
        target: null,
        currentTarget: null,
        phase: NONE,
        stopped: false,
        stoppedNow: false,
        canceled: false,
        passive: false,
        dispatched: false,
        trusted: false,
        timeStamp: coarseNow(),
      };
      // [LegacyUnforgeable]: on the event itself.
      ObjectDefineProperty(this, "isTrusted", {
        __proto__: null,
        configurable: false,
        enumerable: true,
        get: isTrusted,
        set: undefined,
      });
    }

    get type() {
      return this.#state.type;
    }

    get target() {
      return this.#state.target;
    }

    get srcElement() {
      return this.#state.target;
    }

    get currentTarget() {
      return this.#state.currentTarget;
    }

    get eventPhase() {
      return this.#state.phase;
    }

    get bubbles() {
      return this.#state.bubbles;
    }

    get cancelable() {
      return this.#state.cancelable;
    }

    get composed() {
      return this.#state.composed;
    }

    get defaultPrevented() {
      return this.#state.canceled;
    }

    get timeStamp() {
      return this.#state.timeStamp;
    }

    get returnValue() {
      return !this.#state.canceled;
    }

    set returnValue(value) {
      const state = this.#state;
      if (!value) cancel(state);
    }

    get cancelBubble() {
      return this.#state.stopped;
    }

    set cancelBubble(value) {
      const state = this.#state;
      if (value) state.stopped = true;
    }

    composedPath() {
      const { currentTarget } = this.#state;
      return currentTarget === null ? [] : [currentTarget];
    }

    stopPropagation() {
      this.#state.stopped = true;
    }

    stopImmediatePropagation() {
      this.#state.stopped = true;
      this.#state.stoppedNow = true;
    }

    preventDefault() {
      cancel(this.#state);
    }

    initEvent(type, bubbles = false, cancelable = false) {
      const state = this.#state;
      need(1, arguments.length, "initEvent");
      const name = domString(type);
      if (state.dispatched) return;
      state.stopped = false;
      state.stoppedNow = false;
      state.canceled = false;
      state.trusted = false;
      state.target = null;
      state.type = name;
      state.bubbles = !!bubbles;
      state.cancelable = !!cancelable;
    }
  }

  // Section 2.2, "set the canceled flag".
  function cancel(state) {
    if (state.cancelable && !state.passive) state.canceled = true;
  }

  class CustomEvent extends Event {
    #detail;

    constructor(type, eventInitDict = undefined) {
      need(1, arguments.length, "CustomEvent");
      super(type, eventInitDict);
      this.#detail = dictionary(eventInitDict, "CustomEvent: options").detail ?? null;
    }

    get detail() {
      return this.#detail;
    }

    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
      need(1, arguments.length, "initCustomEvent");
      if (stateOf(this).dispatched) return;
      EventInit(this, type, bubbles, cancelable);
      this.#detail = detail;
    }
  }
  const EventInit = primordials.uncurryThis(Event.prototype.initEvent);

  let listenersOf;

  class EventTarget {
    static {
      ArrayPrototypePush(platform, (value) => #listeners in value);
    }

    #listeners = list();

    static {
      listenersOf = (target) => target.#listeners;
    }

    addEventListener(type, callback, options = undefined) {
      const listeners = this.#listeners;
      need(2, arguments.length, "addEventListener");
      const name = domString(type);
      const { capture, once, passive, signal } = flatten(options);
      if (signal !== undefined && !internals.abort.isSignal(signal)) {
        throw new TypeError("addEventListener: signal must be an AbortSignal");
      }
      if (!isCallback(callback)) throw new TypeError("addEventListener: the listener must be a function or an object");
      if (callback === null || (signal !== undefined && internals.abort.isAborted(signal))) return;
      if (find(listeners, name, callback, capture) >= 0) return;
      const listener = { __proto__: null, type: name, callback, capture, once, passive, removed: false };
      ArrayPrototypePush(listeners, listener);
      if (signal !== undefined) internals.abort.whenAborted(signal, () => remove(listeners, listener));
    }

    removeEventListener(type, callback, options = undefined) {
      const listeners = this.#listeners;
      need(2, arguments.length, "removeEventListener");
      const name = domString(type);
      const capture = isObject(options) ? !!options.capture : !!options;
      if (!isCallback(callback)) throw new TypeError("removeEventListener: the listener must be a function or an object");
      const at = find(listeners, name, callback, capture);
      if (at >= 0) remove(listeners, listeners[at]);
    }

    dispatchEvent(event) {
      this.#listeners;
      need(1, arguments.length, "dispatchEvent");
      const state = stateOf(event);
      if (state.dispatched) {
        throw new DOMException("dispatchEvent: the event is being dispatched already", "InvalidStateError");
      }
      state.trusted = false;
      return dispatch(this, event, state);
    }
  }

  function isCallback(callback) {
    return callback === null || isObject(callback);
  }

  // Section 2.7, "flatten more".
  function flatten(options) {
    if (!isObject(options)) return { __proto__: null, capture: !!options, once: false, passive: false, signal: undefined };
    const { capture, once, passive, signal } = options;
    return { __proto__: null, capture: !!capture, once: !!once, passive: !!passive, signal };
  }

  function find(listeners, type, callback, capture) {
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i];
      if (listener.type === type && listener.callback === callback && listener.capture === capture) return i;
    }
    return -1;
  }

  function remove(listeners, listener) {
    listener.removed = true;
    for (let i = 0; i < listeners.length; i++) {
      if (listeners[i] === listener) ArrayPrototypeSplice(listeners, i--, 1);
    }
  }

  // Section 2.9: at the target, capturing listeners come first.
  function dispatch(target, event, state) {
    state.dispatched = true;
    state.target = target;
    state.currentTarget = target;
    state.phase = AT_TARGET;
    if (!state.stopped) invoke(target, event, state, true);
    if (!state.stopped) invoke(target, event, state, false);
    state.phase = NONE;
    state.currentTarget = null;
    state.dispatched = false;
    state.stopped = false;
    state.stoppedNow = false;
    return !state.canceled;
  }

  function invoke(target, event, state, capturing) {
    const listeners = listenersOf(target);
    const now = list();
    for (let i = 0; i < listeners.length; i++) ArrayPrototypePush(now, listeners[i]);
    for (let i = 0; i < now.length && !state.stoppedNow; i++) {
      const listener = now[i];
      if (listener.removed || listener.type !== state.type || listener.capture !== capturing) continue;
      if (listener.once) remove(listeners, listener);
      state.passive = listener.passive;
      try {
        call(listener.callback, target, event);
      } catch (thrown) {
        // "Report the exception": it ends the invocation as one that nobody caught, and the other listeners still run.
        internals.dispatch.failThrown(thrown);
      }
      state.passive = false;
    }
  }

  function call(callback, target, event) {
    if (typeof callback === "function") return ReflectApply(callback, target, [event]);
    const handle = callback.handleEvent;
    if (typeof handle !== "function") throw new TypeError("a listener has no handleEvent");
    return ReflectApply(handle, callback, [event]);
  }

  /** Fires an event of the platform's own. */
  function fire(target, type) {
    const event = new Event(type);
    const state = stateOf(event);
    state.trusted = true;
    dispatch(target, event, state);
  }

  /** HTML, section 8.1.8.1, for one `on...` attribute: its listener keeps its place when it is replaced. */
  function handlerAttribute(target, type, slot, value) {
    slot.value = isObject(value) ? value : null;
    if (slot.value === null || slot.listener !== undefined) return;
    slot.listener = (event) => {
      if (typeof slot.value !== "function") return;
      if (ReflectApply(slot.value, target, [event]) === false) event.preventDefault();
    };
    ArrayPrototypePush(listenersOf(target), {
      __proto__: null,
      type,
      callback: slot.listener,
      capture: false,
      once: false,
      passive: false,
      removed: false,
    });
  }

  asInterface(Event, "Event");
  constants(Event, { __proto__: null, NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
  asInterface(CustomEvent, "CustomEvent");
  asInterface(EventTarget, "EventTarget");

  internals.events = { CustomEvent, Event, EventTarget, OURS, coarseNow, fire, handlerAttribute, illegal };
}
