//! What a function finds: exactly the globals of the list, each doing what the web says it does.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use support::{once, pool};

async fn eval(body: &str) -> Value {
    let source = format!("export default async (event) => {{ {body} }};");
    let output = once(&pool(), &source).await.unwrap_or_else(|error| panic!("{error:?} from {body}"));
    serde_json::from_str(&output).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_globals_are_exactly_these() {
    let golden = include_str!("golden/globals.txt");
    let names = eval("return Reflect.ownKeys(globalThis).map(String).sort().join('\\n');").await;
    assert_eq!(names.as_str().unwrap(), golden.trim_end());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_prelude_leaks_between_scopes() {
    let result = eval(
        "const found = []; \
         for (const name of ['core', 'internals', 'primordials', 'hostCall', 'seal', 'describe', 'surface']) { \
           try { if (eval(`typeof ${name}`) !== 'undefined') found.push(name); } catch {} } \
         return found;",
    )
    .await;
    assert_eq!(result, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn urls() {
    let result = eval(
        "const u = new URL('../c?x=1&y=a b#h', 'https://user:pw@EXAMPLE.com:8443/a/b'); \
         const first = u.href; u.searchParams.append('z', 'é&='); u.port = '443'; u.hash = ''; u.protocol = 'nonsense:'; \
         let invalid; try { new URL('no'); } catch (e) { invalid = e.name; } \
         const p = new URLSearchParams({ a: '1', b: '2' }); p.append('a', '3'); p.delete('b'); p.sort(); \
         return { first, href: u.href, host: u.host, origin: u.origin, search: u.searchParams.get('z'), invalid, \
                  can: [URL.canParse('a:b'), URL.canParse('x')], params: `${p}`, all: p.getAll('a'), size: p.size, \
                  from: [...new URLSearchParams('?q=1&q=2+3')], json: JSON.stringify({ u }) };",
    )
    .await;
    assert_eq!(
        result,
        json!({
            "first": "https://user:pw@example.com:8443/c?x=1&y=a%20b#h",
            "href": "https://user:pw@example.com/c?x=1&y=a+b&z=%C3%A9%26%3D",
            "host": "example.com",
            "origin": "https://example.com",
            "search": "é&=",
            "invalid": "TypeError",
            "can": [true, false],
            "params": "a=1&a=3",
            "all": ["1", "3"],
            "size": 2,
            "from": [["q", "1"], ["q", "2 3"]],
            "json": r#"{"u":"https://user:pw@example.com/c?x=1&y=a+b&z=%C3%A9%26%3D"}"#,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn text_and_base64() {
    let result = eval(
        "const e = new TextEncoder(); const d = new TextDecoder(); const errors = []; \
         for (const bad of [() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])), \
                            () => atob('a'), () => atob('*'), () => btoa('€'), () => new TextDecoder('latin1')]) { \
           try { bad(); errors.push('passed'); } catch (error) { errors.push(error.name); } } \
         return { round: d.decode(e.encode('a€😀\\u0000')), lossy: d.decode(new Uint8Array([0x61, 0xff, 0x62])), \
                  bom: d.decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).length, half: [...e.encode('\\ud800')], \
                  into: e.encodeInto('a€😀', new Uint8Array(7)), view: d.decode(new Uint8Array([1, 0x62, 3]).subarray(1, 2)), \
                  b: btoa('\\u0000\\u00ff'), a: atob(' Y W J j\\n'), loose: atob('YQ'), errors };",
    )
    .await;
    assert_eq!(
        result,
        json!({
            "round": "a€😀\u{0}",
            "lossy": "a\u{fffd}b",
            "bom": 1,
            "half": [0xef, 0xbf, 0xbd],
            "into": { "read": 2, "written": 4 },
            "view": "b",
            "b": "AP8=",
            "a": "abc",
            "loose": "a",
            "errors": ["TypeError", "InvalidCharacterError", "InvalidCharacterError", "InvalidCharacterError", "RangeError"],
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_and_randomness() {
    let result = eval(
        "const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join(''); \
         const data = new TextEncoder().encode('abc'); const out = {}; \
         for (const name of ['SHA-1', 'sha-256', 'SHA-384', 'SHA-512']) out[name] = hex(await crypto.subtle.digest({ name }, data)).slice(0, 16); \
         const a = crypto.getRandomValues(new Uint8Array(32)); const b = crypto.getRandomValues(new Uint8Array(32)); \
         const errors = []; \
         for (const bad of [() => crypto.subtle.digest('MD5', data), () => crypto.subtle.digest('SHA-256', 'abc'), \
                            async () => crypto.getRandomValues(new Uint8Array(65537)), async () => crypto.getRandomValues(new Float64Array(1))]) { \
           try { await bad(); errors.push('passed'); } catch (error) { errors.push(error.name); } } \
         const id = crypto.randomUUID(); \
         return { out, differ: hex(a) !== hex(b) && hex(a) !== '0'.repeat(64), errors, \
                  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id) && id !== crypto.randomUUID() };",
    )
    .await;
    assert_eq!(
        result,
        json!({
            "out": {
                "SHA-1": "a9993e364706816a", "sha-256": "ba7816bf8f01cfea",
                "SHA-384": "cb00753f45a35e8b", "SHA-512": "ddaf35a193617aba",
            },
            "differ": true,
            "errors": ["NotSupportedError", "TypeError", "QuotaExceededError", "TypeMismatchError"],
            "uuid": true,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fetch_is_a_host_call() {
    let result = eval(
        "const r = await fetch(new URL('https://api.example/x?y'), { method: 'post', headers: { 'X-A': 'b' }, body: JSON.stringify({ k: '€' }) }); \
         const copy = r.clone(); const json = await r.json(); let twice; try { await r.text(); } catch (e) { twice = e.name; } \
         const plain = await (await fetch('https://api.example/', { method: 'PUT', body: new URLSearchParams({ a: 'b c' }) })); \
         const empty = await fetch(new Request('https://api.example/z', { headers: new Headers([['a', '1'], ['A', '2']]) })); \
         return { status: r.status, ok: r.ok, url: r.url, method: r.headers.get('x-method'), a: r.headers.get('x-a'), \
                  type: r.headers.get('Content-Type'), json, twice, used: r.bodyUsed, size: (await copy.arrayBuffer()).byteLength, \
                  form: await plain.text(), formType: plain.headers.get('content-type'), list: empty.headers.get('a'), \
                  get: empty.headers.get('x-method'), none: (await empty.text()).length, \
                  made: await new Response('hi', { status: 404 }).text(), notOk: new Response(null, { status: 404 }).ok };",
    )
    .await;
    assert_eq!(
        result,
        json!({
            "status": 201, "ok": true, "url": "https://api.example/x?y", "method": "POST", "a": "b",
            "type": "text/plain;charset=UTF-8", "json": { "k": "€" }, "twice": "TypeError", "used": true, "size": 11,
            "form": "a=b+c", "formType": "application/x-www-form-urlencoded;charset=UTF-8", "list": "1, 2", "get": "GET",
            "none": 0, "made": "hi", "notOk": false,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_appliance_is_reached_by_r3e() {
    let result = eval(
        "let refused; try { await r3e.tee.getAttestation('x'); } catch (e) { refused = [e.name, e.code, e.message]; } \
         await r3e.store.set('k', { a: [1] }); await r3e.store.delete('k'); \
         return { taken: await r3e.events.publish('t', 1), secret: await r3e.secrets.get('name'), stored: await r3e.store.get('key'), refused, frozen: Object.isFrozen(r3e.store) };",
    )
    .await;
    assert_eq!(
        result,
        json!({ "taken": { "queued": 0, "failed": 0 }, "secret": "s3cret", "stored": "key", "refused": ["HostError", "denied", "not granted"], "frozen": true })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_run_in_order() {
    let result = eval(
        "const order = []; const note = (x) => order.push(x); \
         setTimeout(note, 30, 'late'); setTimeout(note, 0, 'soon'); queueMicrotask(() => note('micro')); \
         const never = setTimeout(note, 5, 'never'); clearTimeout(never); clearTimeout(undefined); clearTimeout(99999); \
         let ticks = 0; await new Promise((resolve) => { const i = setInterval(() => { if (++ticks === 3) { clearInterval(i); resolve(); } }, 2); }); \
         note('ticked'); await new Promise((resolve) => setTimeout(resolve, 40)); \
         return { order, ticks };",
    )
    .await;
    assert_eq!(result, json!({ "order": ["micro", "soon", "ticked", "late"], "ticks": 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_their_place() {
    let source = "function inner() {\n  throw new RangeError('deep');\n}\nexport default () => inner();";
    let Err(error) = once(&pool(), source).await else { panic!("it throws") };
    let r3e_functions::runner_pool::InvocationError::Function(fault) = error else { panic!("{error:?}") };
    assert_eq!((fault.name.as_str(), fault.message.as_str()), ("RangeError", "deep"));
    assert!(fault.stack.unwrap().contains("at inner (file:///function.js:2:"));
}
