// What every area's script stands on: it is put before the script, and both are one module.
const cases = [];
const names = new Map();
let assertions = 0;

/** One case: passes unless it throws. A second one of the same name is numbered. */
function test(name, run) {
  const times = (names.get(name) ?? 0) + 1;
  names.set(name, times);
  cases.push({ name: times > 1 ? `${name} (${times})` : name, run });
}

/** One case for each row, named by what the row begins with. */
function table(name, rows, run) {
  for (const row of rows) test(`${name}: ${show(row[0])}`, () => run(...row));
}

function show(value) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return value.name || String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function fail(message) {
  throw new Error(message);
}

function ok(condition, what = "a condition") {
  assertions++;
  if (!condition) fail(`${what} does not hold`);
}

/** The same value, or the same JSON for arrays and plain objects. */
function eq(actual, expected, what = "value") {
  assertions++;
  const same = typeof expected === "object" && expected !== null
    ? JSON.stringify(actual) === JSON.stringify(expected)
    : Object.is(actual, expected);
  if (!same) fail(`${what}: ${show(actual)} instead of ${show(expected)}`);
}

function isError(error, kind, what) {
  if (typeof kind === "string") {
    ok(error instanceof DOMException, `${what}: ${show(error?.name)} is a DOMException`);
    eq(error.name, kind, `${what}: its name`);
  } else {
    ok(error instanceof kind, `${what}: ${show(error?.name)} is a ${kind.name}`);
  }
}

/** That a call throws an error of a class, or a DOMException of a name. */
function throws(kind, run, what = String(run)) {
  let error;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) fail(`${what} does not throw`);
  isError(error, kind, what);
  return error;
}

/** That a promise is rejected so, and that nothing is thrown at once. */
async function rejects(kind, run, what = String(run)) {
  const promise = run();
  let error;
  try {
    await promise;
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) fail(`${what} is not rejected`);
  isError(error, kind, what);
  return error;
}

const bytes = (...values) => new Uint8Array(values);
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toHex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const utf8 = (text) => new TextEncoder().encode(text);

export default async function run() {
  const failures = [];
  for (const { name, run } of cases) {
    try {
      await run();
    } catch (error) {
      failures.push([name, `${error?.name}: ${error?.message}`]);
    }
  }
  return { assertions, cases: cases.map(({ name }) => name), failures };
}
