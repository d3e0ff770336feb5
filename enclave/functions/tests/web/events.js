// The DOM standard, section 2.
test("an event", () => {
  const event = new Event("x");
  eq([event.type, event.bubbles, event.cancelable, event.composed, event.defaultPrevented, event.isTrusted], ["x", false, false, false, false, false]);
  eq([event.target, event.currentTarget, event.srcElement, event.eventPhase, event.returnValue, event.cancelBubble], [null, null, null, 0, true, false]);
  eq(event.composedPath(), []);
  ok(typeof event.timeStamp === "number" && event.timeStamp >= 0, "a time");
  const full = new Event("", { bubbles: 1, cancelable: {}, composed: "x" });
  eq([full.type, full.bubbles, full.cancelable, full.composed], ["", true, true, true]);
  eq([Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE, event.AT_TARGET], [0, 1, 2, 3, 2]);
  eq(new Event(null).type, "null");
  eq(new Event(undefined).type, "undefined");
  throws(TypeError, () => new Event());
  throws(TypeError, () => Event("x"));
  throws(TypeError, () => new Event("x", 1));
  throws(TypeError, () => { event.isTrusted = true; });
  ok(Object.hasOwn(event, "isTrusted"), "isTrusted is its own");
  eq(Object.prototype.toString.call(event), "[object Event]");
});

test("a custom event", () => {
  const detail = {};
  const event = new CustomEvent("x", { detail, cancelable: true });
  ok(event instanceof Event && event.detail === detail && event.cancelable, "with a detail");
  eq(new CustomEvent("x").detail, null);
  eq(new CustomEvent("x", { detail: 0 }).detail, 0);
  event.initCustomEvent("y", true, false, 5);
  eq([event.type, event.bubbles, event.cancelable, event.detail], ["y", true, false, 5]);
  eq(Object.prototype.toString.call(event), "[object CustomEvent]");
});

test("listeners", () => {
  const target = new EventTarget();
  const order = [];
  function listener(event) {
    order.push([this === target, event.target === target, event.currentTarget === target, event.eventPhase, event.composedPath().length]);
  }
  eq(target.addEventListener("x", listener), undefined);
  target.addEventListener("x", listener);
  target.addEventListener("y", () => order.push("never"));
  const event = new Event("x");
  eq(target.dispatchEvent(event), true);
  eq(order, [[true, true, true, 2, 1]], "once, though added twice");
  eq([event.eventPhase, event.currentTarget, event.target === target, event.composedPath()], [0, null, true, []]);
  target.removeEventListener("x", listener);
  target.removeEventListener("x", listener);
  target.dispatchEvent(event);
  eq(order.length, 1);
});

test("capture tells listeners apart, and comes first", () => {
  const target = new EventTarget();
  const order = [];
  const both = () => order.push("both");
  target.addEventListener("x", () => order.push("plain"));
  target.addEventListener("x", () => order.push("capture"), true);
  target.addEventListener("x", both);
  target.addEventListener("x", both, { capture: true });
  target.dispatchEvent(new Event("x"));
  eq(order, ["capture", "both", "plain", "both"]);
  target.removeEventListener("x", both, { capture: true });
  order.length = 0;
  target.dispatchEvent(new Event("x"));
  eq(order, ["capture", "plain", "both"]);
});

test("objects that handle events", () => {
  const target = new EventTarget();
  const seen = [];
  const listener = { handleEvent(event) { seen.push([this === listener, event.type]); } };
  target.addEventListener("x", listener);
  target.dispatchEvent(new Event("x"));
  listener.handleEvent = () => seen.push("changed");
  target.dispatchEvent(new Event("x"));
  eq(seen, [[true, "x"], "changed"]);
  const both = Object.assign(() => seen.push("called"), { handleEvent() { seen.push("never"); } });
  const other = new EventTarget();
  other.addEventListener("x", both);
  other.dispatchEvent(new Event("x"));
  eq(seen[2], "called");
});

test("what is no listener", () => {
  const target = new EventTarget();
  eq(target.addEventListener("x", null), undefined);
  eq(target.removeEventListener("x", null), undefined);
  for (const wrong of [1, "f", true, Symbol("s")]) throws(TypeError, () => target.addEventListener("x", wrong));
  throws(TypeError, () => target.addEventListener("x"));
  throws(TypeError, () => target.addEventListener());
  throws(TypeError, () => target.dispatchEvent());
  throws(TypeError, () => target.dispatchEvent(null));
  throws(TypeError, () => target.dispatchEvent({ type: "x" }));
  throws(TypeError, () => EventTarget.prototype.addEventListener.call({}, "x", null));
  throws(TypeError, () => EventTarget());
});

test("once", () => {
  const target = new EventTarget();
  let calls = 0;
  const listener = () => {
    calls++;
    if (calls === 1) target.dispatchEvent(new Event("x"));
  };
  target.addEventListener("x", listener, { once: true });
  target.dispatchEvent(new Event("x"));
  target.dispatchEvent(new Event("x"));
  eq(calls, 1, "removed before it is called");
});

test("a listener added or removed meanwhile", () => {
  const target = new EventTarget();
  const order = [];
  const later = () => order.push("later");
  target.addEventListener("x", () => {
    order.push("first");
    target.removeEventListener("x", later);
    target.addEventListener("x", () => order.push("added"));
  }, { once: true });
  target.addEventListener("x", later);
  target.dispatchEvent(new Event("x"));
  eq(order, ["first"]);
  target.dispatchEvent(new Event("x"));
  eq(order, ["first", "added"]);
});

test("cancelling", () => {
  const target = new EventTarget();
  target.addEventListener("x", (event) => event.preventDefault());
  eq(target.dispatchEvent(new Event("x", { cancelable: true })), false);
  eq(target.dispatchEvent(new Event("x")), true, "not cancelable");
  const passive = new EventTarget();
  passive.addEventListener("x", (event) => { event.preventDefault(); event.returnValue = false; }, { passive: true });
  const event = new Event("x", { cancelable: true });
  eq([passive.dispatchEvent(event), event.defaultPrevented], [true, false]);
  event.returnValue = false;
  eq([event.defaultPrevented, event.returnValue], [true, false]);
  event.returnValue = true;
  eq(event.defaultPrevented, true, "there is no way back");
});

test("stopping", () => {
  const target = new EventTarget();
  const order = [];
  target.addEventListener("x", (event) => { order.push(1); event.stopPropagation(); }, true);
  target.addEventListener("x", () => order.push(2), true);
  target.addEventListener("x", () => order.push(3));
  target.dispatchEvent(new Event("x"));
  eq(order, [1, 2]);
  const now = new EventTarget();
  now.addEventListener("x", (event) => { order.push("a"); event.stopImmediatePropagation(); eq(event.cancelBubble, true); });
  now.addEventListener("x", () => order.push("b"));
  const event = new Event("x");
  now.dispatchEvent(event);
  eq([order, event.cancelBubble], [[1, 2, "a"], false]);
  const before = new Event("x");
  before.stopPropagation();
  now.dispatchEvent(before);
  eq(order.length, 3, "stopped before it began");
  const bubble = new Event("x");
  bubble.cancelBubble = false;
  eq(bubble.cancelBubble, false);
  bubble.cancelBubble = true;
  eq(bubble.cancelBubble, true);
});

test("an event within itself", () => {
  const target = new EventTarget();
  const event = new Event("x");
  let seen;
  target.addEventListener("x", () => {
    seen = throws("InvalidStateError", () => target.dispatchEvent(event));
    event.initEvent("other");
  });
  target.dispatchEvent(event);
  eq([seen.code, event.type], [11, "x"]);
});

test("initEvent", () => {
  const event = new Event("x", { cancelable: true });
  event.preventDefault();
  event.initEvent("y", true, false);
  eq([event.type, event.bubbles, event.cancelable, event.defaultPrevented, event.target], ["y", true, false, false, null]);
  throws(TypeError, () => event.initEvent());
});

test("classes of one's own", () => {
  class Own extends EventTarget {
    #value = 1;
    get value() { return this.#value; }
  }
  const target = new Own();
  let seen;
  target.addEventListener("x", function () { seen = this.value; });
  target.dispatchEvent(new (class extends Event {})("x"));
  eq(seen, 1);
  eq(Object.prototype.toString.call(target), "[object EventTarget]");
});

test("options are read as they stand", () => {
  const target = new EventTarget();
  const order = [];
  const options = {};
  for (const name of ["capture", "once", "passive", "signal"]) Object.defineProperty(options, name, { get() { order.push(name); return undefined; } });
  target.addEventListener("x", () => {}, options);
  ok(order.includes("once") && order.includes("capture") && order.includes("signal"), "each");
  order.length = 0;
  target.removeEventListener("x", () => {}, options);
  eq(order, ["capture"]);
});
