//! Functions that misbehave: each costs its own invocation, with a stable code and a receipt, and nobody else's.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use r3e_client::TenantChannel;
use r3e_e2e::tenant::{code, granted, javascript, output};
use r3e_e2e::venue::Venue;
use r3e_e2e::{Appliance, Options, Tenant, runners};
use r3e_proto::api::functions::{Deploy, Limits, Outcome};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

const GOOD: &str = "export default (event) => ({ doubled: 2 * event.number });";

/// Deploys the good function.
async fn good(channel: &mut TenantChannel) {
    channel.deploy("good", &javascript(GOOD)).await.unwrap();
}

/// The good function works.
async fn works(channel: &mut TenantChannel, after: &str) {
    let invocation = channel.invoke("good", r#"{"number":21}"#).await.unwrap();
    assert_eq!(output(&invocation), json!({ "doubled": 42 }), "after {after}");
}

fn limited(source: &str, change: impl FnOnce(&mut Limits)) -> Deploy {
    let mut deploy = javascript(source);
    change(&mut deploy.limits);
    deploy
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_misbehaviour_has_its_code() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "mallory").await;
    let bystander = Tenant::admitted(&appliance, "alice").await;
    let (mut channel, mut other) = (tenant.channel().await, bystander.channel().await);
    good(&mut channel).await;
    good(&mut other).await;

    let cpu = |source: &str| limited(source, |limits| limits.cpu_ms = 300);
    let wall = |source: &str| limited(source, |limits| limits.timeout_ms = 300);
    let heap = |source: &str| limited(source, |limits| limits.memory_mib = 16);
    let cases = [
        ("loops", cpu("export default () => { while (true) {} };"), "cpu_limit"),
        ("loops in promises", cpu("export default async () => { while (true) await null; };"), "cpu_limit"),
        (
            "loops in a regular expression",
            cpu("export default () => /^(a+)+$/.test('a'.repeat(40) + 'b');"),
            "cpu_limit",
        ),
        (
            "prints for ever",
            cpu("export default () => { while (true) console.log('x'.repeat(1000)); };"),
            "cpu_limit",
        ),
        ("sleeps", wall("export default () => new Promise((done) => setTimeout(done, 60_000));"), "timeout"),
        (
            "sleeps in turns",
            wall("export default async () => { while (true) await new Promise((d) => setTimeout(d, 10)); };"),
            "timeout",
        ),
        ("waits for nothing", javascript("export default () => new Promise(() => {});"), "function_error"),
        (
            "allocates",
            heap("export default () => { const all = []; while (true) all.push(new Array(1000).fill(1)); };"),
            "memory_limit",
        ),
        (
            "doubles a string",
            heap("export default () => { let s = 'x'; while (true) s += s; };"),
            // The engine's own limit on a string comes first.
            "function_error",
        ),
        (
            "allocates buffers",
            heap("export default () => { const all = []; while (true) all.push(new Uint8Array(1 << 20)); };"),
            "memory_limit",
        ),
        ("recurses", javascript("const f = () => f() + 1; export default f;"), "function_error"),
        ("throws", javascript("export default () => { throw new RangeError('out'); };"), "function_error"),
        ("throws nothing", javascript("export default () => { throw undefined; };"), "function_error"),
        (
            "throws a proxy",
            javascript(
                "export default () => { throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } }); };",
            ),
            "function_error",
        ),
        (
            "returns a proxy",
            javascript("export default () => new Proxy({}, { ownKeys() { throw 1; } });"),
            "function_error",
        ),
        ("returns a function", javascript("export default () => () => 1;"), "function_error"),
        (
            "returns a cycle",
            javascript("export default () => { const a = {}; a.a = a; return a; };"),
            "function_error",
        ),
        (
            "rejects behind its back",
            javascript("export default () => { Promise.reject(new Error('late')); return 1; };"),
            "function_error",
        ),
        (
            "returns too much",
            limited("export default () => 'x'.repeat(2000);", |limits| limits.output_bytes = 1000),
            "output_limit",
        ),
    ];
    for (name, deploy, expected) in cases {
        channel.deploy("bad", &deploy).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let invocation = channel.invoke("bad", "{}").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(code(&invocation), expected, "{name}: {:?}", invocation.outcome());
        assert_eq!(invocation.receipt().outcome, expected, "{name}");
        works(&mut channel, name).await;
        works(&mut other, name).await;
    }
    until_idle(&appliance).await;
}

/// Waits until no runner uses the processor: a spare that starts does for a moment, a loop that was left does for ever.
async fn until_idle(appliance: &Appliance) {
    let usage = || -> Vec<_> {
        let ids = runners::of_enclave(appliance.enclave_id());
        ids.into_iter().map(|id| (id, runners::processor_ticks(id))).collect()
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let before = usage();
        sleep(Duration::from_millis(500)).await;
        let after = usage();
        if before == after {
            return;
        }
        assert!(Instant::now() < deadline, "runners are busy with nothing to do: {before:?} -> {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_calls_are_counted() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "mallory").await;
    let mut channel = tenant.channel().await;
    good(&mut channel).await;
    let source =
        "export default async (n) => { for (let i = 0; i < n; i++) await r3e.store.get('k'); return n; };";
    channel.deploy("asks", &limited(source, |limits| limits.host_calls = 5)).await.unwrap();
    assert_eq!(output(&channel.invoke("asks", "5").await.unwrap()), 5);
    let invocation = channel.invoke("asks", "6").await.unwrap();
    assert_eq!(code(&invocation), "host_call_limit", "{:?}", invocation.outcome());
    // One that goes on regardless is stopped all the same.
    let source =
        "export default async () => { while (true) { try { await r3e.store.get('k'); } catch {} } };";
    channel.deploy("insists", &limited(source, |limits| limits.cpu_ms = 300)).await.unwrap();
    let invocation = channel.invoke("insists", "null").await.unwrap();
    assert!(
        ["host_call_limit", "cpu_limit"].contains(&code(&invocation).as_str()),
        "{:?}",
        invocation.outcome()
    );
    works(&mut channel, "host calls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_load_is_not_deployed() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "mallory").await;
    let mut channel = tenant.channel().await;
    good(&mut channel).await;
    for (name, source) in [
        ("no JavaScript", "export default function ( {"),
        ("no default export", "export const f = () => 1;"),
        ("a default export that is no function", "export default 1;"),
        ("an import", "import fs from 'fs'; export default () => 1;"),
        ("throws as it loads", "throw new Error('no'); export default () => 1;"),
        ("loops as it loads", "while (true) {} export default () => 1;"),
        ("waits as it loads", "await new Promise(() => {}); export default () => 1;"),
    ] {
        let refused = channel.deploy("bad", &javascript(source)).await.unwrap_err();
        assert_eq!(refused.code(), "invalid_function", "{name}: {refused}");
        works(&mut channel, name).await;
    }
    assert_eq!(channel.functions().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ways_out_are_gone() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "mallory").await;
    let mut channel = tenant.channel().await;
    let source = "export default async () => {
        const names = ['Deno', '__bootstrap', 'gc', 'ShadowRealm', 'SharedArrayBuffer', 'Atomics', 'process', 'require'];
        return names.filter((name) => name in globalThis);
    };";
    channel.deploy("looks", &javascript(source)).await.unwrap();
    assert_eq!(output(&channel.invoke("looks", "null").await.unwrap()), json!([]));
    let source = "export default async () => { try { await import('/etc/passwd'); return 'read'; } catch (e) { return e.name; } };";
    channel.deploy("imports", &javascript(source)).await.unwrap();
    assert_ne!(output(&channel.invoke("imports", "null").await.unwrap()), "read");
    // What one invocation leaves behind is not there for the next of another function.
    channel
        .deploy("leaves", &javascript("export default () => { globalThis.left = 'secret'; return 1; };"))
        .await
        .unwrap();
    channel.deploy("finds", &javascript("export default () => globalThis.left ?? null;")).await.unwrap();
    channel.invoke("leaves", "null").await.unwrap().outcome();
    assert_eq!(output(&channel.invoke("finds", "null").await.unwrap()), json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_killed_in_a_host_call_fails_its_own_invocation() {
    let venue = Venue::local("venue.example", "key").await;
    let options = Options {
        extra_roots: venue.authority().to_owned(),
        resolve: vec![venue.resolve_rule()],
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    good(&mut channel).await;
    let source = "export default async () => (await fetch('https://venue.example/v1/slow')).status;";
    let deploy = granted(limited(source, |limits| limits.timeout_ms = 60_000), &[], &["venue.example"]);
    channel.deploy("waits", &deploy).await.unwrap();
    let mut waiting = tenant.channel().await;
    for round in 1..=3 {
        let begun = Instant::now();
        let invoking = tokio::spawn(async move {
            let invocation = waiting.invoke("waits", "null").await;
            (waiting, invocation)
        });
        let reached = async {
            while venue.seen().len() < round {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), reached).await.expect("the function waits for the venue");
        works(&mut channel, "a call that waits").await;
        let all = runners::of_enclave(appliance.enclave_id());
        all.iter().copied().for_each(runners::kill_runner);
        while !runners::still_running(&all).is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        // Those that were idle were killed as well, and cost nobody anything.
        works(&mut channel, "killed runners").await;
        let (back, invocation) = invoking.await.unwrap();
        waiting = back;
        let invocation = invocation.unwrap();
        assert!(
            matches!(invocation.outcome(), Outcome::Error(error) if error.code == "crashed"),
            "{:?}",
            invocation.outcome()
        );
        assert!(begun.elapsed() < Duration::from_secs(40), "the caller was left to wait for the time limit");
        works(&mut waiting, "a killed runner").await;
    }
}
