//! Jobs as tenants meet them, over the library and the tool: queued, followed, cancelled, replayed, told by webhook, kept from
//! other tenants, and taken over by a successor.

use std::time::Duration;

use http::Method;
use r3e_client::{JobOptions, VerifiedJob, VerifiedOutcome};
use r3e_e2e::command::Home;
use r3e_e2e::handoff::{Draft, Releasers};
use r3e_e2e::hook::Hook;
use r3e_e2e::raw::Http;
use r3e_e2e::succession::{Successor, image_pcrs};
use r3e_e2e::tenant::{ended, granted, javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::jobs::{JobState, RetryOn, RetryPolicy, WebhookState};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const HOOK: &str = "hooks.example";

/// Gives its event back, after a while where it says so; counts how often it was run.
const ECHO: &str = "export default async (event) => {
    console.log('run', JSON.stringify(event));
    const runs = (await r3e.store.get('runs') ?? 0) + 1;
    await r3e.store.set('runs', runs);
    if (event?.ms) await new Promise((done) => setTimeout(done, event.ms));
    if (event?.fail) throw new Error('as asked');
    return { event, runs };
};";

fn result(job: &VerifiedJob) -> Value {
    match &job.outcome {
        Some(VerifiedOutcome::Invocation(invocation)) => output(invocation),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_with_a_receipt_and_is_there_after_a_restart() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let options = JobOptions { idempotency_key: Some("one".into()), ..JobOptions::default() };
    let first = channel.enqueue("echo", r#"{ "a": 1 }"#, &options).await.unwrap();
    let again = channel.enqueue("echo", r#"{ "a": 1 }"#, &options).await.unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
    let other = channel.enqueue("echo", r#"{ "a": 2 }"#, &options).await.unwrap_err();
    assert_eq!(other.code(), "conflict");
    assert_eq!(
        channel.enqueue("nothing", "{}", &JobOptions::default()).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(channel.enqueue("echo", "{", &JobOptions::default()).await.unwrap_err().code(), "bad_request");

    let job = ended(&mut channel, first.id).await;
    assert_eq!(result(&job), json!({ "event": { "a": 1 }, "runs": 1 }));
    let failing = channel.enqueue("echo", r#"{"fail":true}"#, &JobOptions::default()).await.unwrap().id;
    let failed = ended(&mut channel, failing).await;
    assert_eq!((failed.job.state, failed.job.attempts.len()), (JobState::Dead, 1));
    let policy = RetryPolicy {
        attempts: 2,
        first_delay_ms: 10,
        max_delay_ms: 10,
        retry_on: vec![RetryOn::FunctionError],
    };
    let retried = JobOptions { policy: Some(policy), ..JobOptions::default() };
    let retried = channel.enqueue("echo", r#"{"fail":true}"#, &retried).await.unwrap().id;
    assert_eq!(ended(&mut channel, retried).await.job.attempts.len(), 2);

    let before = channel.job(first.id).await.unwrap();
    let status = alice.connect().await.status().await.unwrap();
    assert_eq!((status.jobs.succeeded, status.jobs.dead, status.jobs.kept), (1, 2, 3));
    drop(channel);
    appliance.restart().await;
    let mut channel = alice.channel().await;
    let after = channel.job(first.id).await.unwrap();
    assert_eq!(after.job, before.job);
    assert_eq!(result(&after), result(&before));
    let again = channel.enqueue("echo", r#"{ "a": 1 }"#, &options).await.unwrap();
    assert_eq!((again.id, again.repeated), (first.id, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_touches_anothers_jobs() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let id = channel.enqueue("echo", r#"{"ms":2000}"#, &JobOptions::default()).await.unwrap().id;
    let mut others = bob.channel().await;
    assert_eq!(others.job(id).await.unwrap_err().code(), "not_found");
    assert_eq!(others.cancel_job(id).await.unwrap_err().code(), "not_found");
    assert_eq!(others.replay_job(id, None).await.unwrap_err().code(), "not_found");
    assert!(others.jobs(None, None, 100).await.unwrap().jobs.is_empty());
    assert_eq!(others.enqueue("echo", "{}", &JobOptions::default()).await.unwrap_err().code(), "not_found");
    // An API key needs the right to invoke, and whoever is not signed in has none.
    let mut signed_in = alice.signed_in().await;
    let key = signed_in.create_key("deploys", &[Scope::Deploy]).await.unwrap();
    let mut session = Http::attested(&appliance.address()).await.unwrap();
    for (method, path) in [
        (Method::GET, "/v1/jobs".to_owned()),
        (Method::GET, format!("/v1/jobs/{id}")),
        (Method::DELETE, format!("/v1/jobs/{id}")),
        (Method::POST, format!("/v1/jobs/{id}/replay")),
        (Method::POST, "/v1/functions/echo/jobs".to_owned()),
    ] {
        let answer = session.send(method.clone(), &path, &[], &b"{}"[..]).await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
        let bearer = format!("Bearer {}", key.secret);
        let answer = session.send(method, &path, &[("authorization", &bearer)], &b"{}"[..]).await.unwrap();
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(ended(&mut channel, id).await.job.state, JobState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_again_until_it_answers_and_its_notice_holds() {
    let hook = Hook::start(HOOK, &[500]).await;
    let options = Options {
        extra_roots: hook.authority().to_owned(),
        resolve: vec![hook.resolve_rule()],
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &granted(javascript(ECHO), &[], &[HOOK])).await.unwrap();
    let told = |url: &str| JobOptions { webhook: Some(url.to_owned()), ..JobOptions::default() };
    for refused in ["https://elsewhere.example/", "http://hooks.example/", "https://127.0.0.1/", "x"] {
        let error = channel.enqueue("echo", "1", &told(refused)).await.unwrap_err();
        assert_eq!(error.code(), "bad_request", "{refused}");
    }
    let id = channel.enqueue("echo", "1", &told("https://hooks.example/done?a=b&c")).await.unwrap().id;
    let requests = hook.told(2).await;
    assert_eq!(requests[0], requests[1], "the same notice, again");
    assert_eq!(requests[0].path, "/done?a=b&c");
    let notice = channel.report_key().notice(&requests[0].notice, &requests[0].body).unwrap();
    assert_eq!((notice.job, notice.tenant, notice.state.as_str()), (id.0, alice.id().0, "succeeded"));
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    let job = ended(&mut channel, id).await;
    let Some(VerifiedOutcome::Invocation(invocation)) = &job.outcome else { panic!("{job:?}") };
    assert_eq!(body["output_sha256"], hex::encode(invocation.receipt().output));
    assert_eq!(notice.output, invocation.receipt().output);
    let changed = [requests[0].body.as_slice(), b" "].concat();
    assert!(channel.report_key().notice(&requests[0].notice, &changed).is_err());
    let deadline = Instant::now() + LIMIT;
    loop {
        let webhook = channel.job(id).await.unwrap().job.webhook.unwrap();
        if webhook.state == WebhookState::Delivered {
            assert_eq!((webhook.attempts, webhook.last.as_deref()), (2, Some("http_204")));
            break;
        }
        assert!(Instant::now() < deadline, "{webhook:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_queues_waits_cancels_and_replays() {
    let appliance = Appliance::start(Options { max_runners: 4, ..Options::default() }).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    std::fs::write(home.path("echo.js"), ECHO).unwrap();
    home.r3e(&["functions", "deploy", "echo.js", "--name", "echo"]).ok();
    let mut patient = javascript(ECHO);
    patient.limits.timeout_ms = 60_000;
    alice.channel().await.deploy("patient", &patient).await.unwrap();
    let queue_for = |function: &str, input: &str, more: &[&str]| {
        let arguments = ["functions", "invoke", function, "--input", input, "--async", "--json"];
        let done = home.r3e(&[&arguments[..], more].concat()).ok();
        done.json()["id"].as_str().unwrap().to_owned()
    };
    let queue = |input: &str, more: &[&str]| queue_for("echo", input, more);
    let id = queue("7", &["--attempts", "2", "--keep-for", "1h"]);
    let waited = home.r3e(&["jobs", "wait", &id]).ok();
    assert_eq!(serde_json::from_str::<Value>(&waited.out).unwrap()["event"], 7);
    assert!(waited.err.contains("succeeded") && waited.err.contains("verified"), "{}", waited.err);
    let shown = home.r3e(&["jobs", "show", &id, "--json"]).ok().json();
    assert_eq!((&shown["state"], &shown["policy"]["attempts"]), (&json!("succeeded"), &json!(2)));

    let failing = queue(r#"{"fail":true}"#, &[]);
    home.r3e(&["jobs", "wait", &failing]).exits(4);
    let dead = home.r3e(&["jobs", "list", "--state", "dead", "--json"]).ok().json();
    assert_eq!(dead.as_array().unwrap().iter().map(|job| &job["id"]).collect::<Vec<_>>(), [&json!(failing)]);
    let again =
        home.r3e(&["jobs", "replay", &failing, "--json"]).ok().json()["id"].as_str().unwrap().to_owned();
    home.r3e(&["jobs", "wait", &again]).exits(4);
    let origin = home.r3e(&["jobs", "show", &again, "--json"]).ok().json()["origin"].clone();
    assert_eq!(origin, json!({ "replay": failing }));

    // Four runners are two attempts at once, and one of one tenant's.
    let long = queue_for("patient", r#"{"ms":15000}"#, &[]);
    let waits = queue("8", &[]);
    home.r3e(&["jobs", "wait", &long, "--timeout", "0"]).exits(5);
    let cancelled = home.r3e(&["jobs", "cancel", &waits, "--json"]).ok().json();
    assert_eq!(cancelled["state"], "cancelled");
    home.r3e(&["jobs", "wait", &waits]).exits(4);
    home.r3e(&["jobs", "cancel", &id, "--json"]).fails_with("conflict");
    home.r3e(&["jobs", "wait", &long]).ok();
    assert!(home.r3e(&["jobs", "list"]).ok().out.contains("cancelled"));
    home.r3e(&["jobs", "show", "nonsense"]).exits(2);
    home.r3e(&["functions", "invoke", "echo", "--attempts", "2"]).exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_takes_the_queue_over() {
    let releasers = Releasers::default();
    let options = Options { unlock_tables: releasers.table(), ..Options::default() };
    let mut appliance = Appliance::start(options).await;
    let successor = Successor::beside(&appliance, "b");
    let next = successor.start();
    let written = || std::fs::read(successor.place().reference_values_file()).unwrap_or_default();
    while serde_json::from_slice::<Value>(&written()).is_err() {
        sleep(Duration::from_millis(10)).await;
    }
    let trust = appliance.trust().policy_builder().accept_releases(successor.place().reference_values());
    let policy = r3e_client::Policy::new(trust.any_configuration()).unwrap();
    let connector = r3e_client::Connector::new(appliance.address().parse().unwrap(), policy).unwrap();
    let alice = Tenant::admitted_over(connector, appliance.operator_key(), "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let mut ids = Vec::new();
    for number in 0..30 {
        let event = json!({ "number": number, "ms": 800 }).to_string();
        ids.push(channel.enqueue("echo", event, &JobOptions::default()).await.unwrap().id);
    }
    let file = appliance.folder().join("release.cbor");
    let (from, to) = (image_pcrs(appliance.enclave_place()), image_pcrs(successor.place()));
    let draft = Draft { version: env!("CARGO_PKG_VERSION"), ..Draft::new(from, to) };
    std::fs::write(&file, releasers.sign(&draft.release(), &[0, 1])).unwrap();
    successor.upgrade(&appliance, &file).await.ok();
    let before = appliance.went_over(successor.place().clone(), next);
    drop(before);
    let mut channel = alice.channel().await;
    let mut interrupted = 0;
    for (number, id) in ids.iter().enumerate() {
        let job = ended(&mut channel, *id).await;
        assert_eq!(job.job.state, JobState::Succeeded, "{job:?}");
        assert_eq!(result(&job)["event"]["number"], number);
        let outcomes: Vec<_> =
            job.job.attempts.iter().map(|attempt| attempt.outcome.clone().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ok").count(), 1, "{outcomes:?}");
        interrupted += outcomes.iter().filter(|outcome| *outcome == "interrupted").count();
    }
    assert_eq!(interrupted, 0, "attempts of less than a second end before the state is handed over");
    let jobs = alice.connect().await.status().await.unwrap().jobs;
    assert!((1..30).contains(&jobs.succeeded), "{} of 30 ended at the successor's", jobs.succeeded);
}
