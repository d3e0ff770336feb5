//! Triggers as tenants, their services and strangers meet them: ticks over kills, signed requests outside the attested channel,
//! events, filters, and the examples with the tool.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use r3e_client::{TenantChannel, VerifiedOutcome};
use r3e_e2e::command::Home;
use r3e_e2e::raw::{Answer, Http};
use r3e_e2e::tenant::{ended, javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::jobs::{JobId, JobState, Origin};
use r3e_proto::api::triggers::{Definition, FireOutcome};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const KEY: &str = "a signing key";
const ECHO: &str = "export default (event) => ({ event });";

fn definition(value: Value) -> Definition {
    serde_json::from_value(value).unwrap()
}

/// The event that a job's function was given.
async fn event_of(channel: &mut TenantChannel, id: JobId) -> Value {
    let job = ended(channel, id).await;
    match &job.outcome {
        Some(VerifiedOutcome::Invocation(invocation)) => output(invocation)["event"].clone(),
        other => panic!("{other:?}"),
    }
}

async fn fires(channel: &mut TenantChannel, name: &str, count: u64) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let fired = channel.trigger(name).await.unwrap().fired;
        if fired >= count {
            return;
        }
        assert!(Instant::now() < deadline, "{name} fired {fired} times");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_has_one_job_whatever_is_killed() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let cron = json!({ "function": "echo", "cron": { "schedule": "*/5 * * * * *" } });
    let made = channel.set_trigger("tick", &definition(cron)).await.unwrap();
    assert!(made.next_at_ms.is_some() && made.hook.is_none());
    fires(&mut channel, "tick", 1).await;
    let mut least = 1;
    for kill in 0..4 {
        drop(channel);
        // About when a tick is due, so that some kills fall into its commit.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let into_period = Duration::new(since.as_secs() % 5, since.subsec_nanos());
        sleep(Duration::from_secs(5).saturating_sub(into_period) + Duration::from_millis(kill)).await;
        appliance.kill_enclave();
        if kill % 2 == 1 {
            appliance.kill_parent();
            appliance.start_parent();
        }
        appliance.start_enclave();
        appliance.ready().await;
        channel = alice.channel().await;
        let fired = channel.trigger("tick").await.unwrap().fired;
        assert!(fired >= least, "what was acknowledged stands");
        fires(&mut channel, "tick", fired + 1).await;
        least = fired + 1;
    }
    let paused = channel.pause_trigger("tick", true).await.unwrap();
    let history = channel.trigger_history("tick").await.unwrap();
    let jobs = channel.jobs(None, None, 100).await.unwrap().jobs;
    assert_eq!(jobs.len() as u64, paused.fired, "each job is on the trigger's record");
    let mut ticks = BTreeSet::new();
    for job in jobs {
        assert_eq!(job.origin, Origin::Trigger("tick".into()));
        let tick = event_of(&mut channel, job.id).await["tick_ms"].as_u64().unwrap();
        assert_eq!(tick % 5_000, 0);
        assert!(ticks.insert(tick), "two jobs of one tick");
        assert!(
            history.iter().any(|fire| fire.tick_ms == Some(tick) && fire.outcome == FireOutcome::Job(job.id))
        );
    }
}

fn signed(id: &str, body: &str, key: &str, seconds_ago: i64) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let time = now.saturating_add_signed(-seconds_ago);
    let message = format!("{id}.{time}.{body}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), message.as_bytes());
    vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", format!("v1,{}", BASE64.encode(tag))),
    ]
}

async fn post(http: &mut Http, path: &str, headers: &[(&'static str, String)], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    http.send(Method::POST, path, &headers, body.to_owned()).await.unwrap()
}

fn job_of(answer: &Answer) -> Option<JobId> {
    assert_eq!(answer.status, 202, "{:?}", String::from_utf8_lossy(&answer.body));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["job"].as_str().map(|id| id.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_believes_what_is_signed_and_takes_it_once() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let auth = json!({ "hmac": { "secret": "HOOK_KEY", "scheme": "standard" } });
    let hook = json!({ "function": "echo", "http": { "auth": auth, "per_minute": 600 } });
    let path = channel.set_trigger("hook", &definition(hook)).await.unwrap().hook.unwrap();
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let body = r#"{"n":1}"#;
    let good = signed("m1", body, KEY, 0);
    // There is no such secret yet; then there is, and it is not granted to the function.
    assert_eq!(post(&mut http, &path, &good, body).await.status, 401);
    alice.set_secret_for("HOOK_KEY", KEY, "another").await;
    assert_eq!(post(&mut http, &path, &good, body).await.status, 401);
    alice.set_secret_for("HOOK_KEY", KEY, "echo").await;
    let first = post(&mut http, &path, &good, body).await;
    let id = job_of(&first).unwrap();
    let event = event_of(&mut channel, id).await;
    assert_eq!(
        (&event["kind"], &event["method"], &event["body"]["n"]),
        (&json!("http"), &json!("POST"), &json!(1))
    );
    assert_eq!(event["headers"], json!({}), "what is not named is not let through");

    // Replayed, it is the same job; also after a restart, and where it is stamped anew.
    assert_eq!(job_of(&post(&mut http, &path, &good, body).await), Some(id));
    drop((http, channel));
    appliance.restart().await;
    let mut channel = alice.channel().await;
    let mut http = Http::public(&appliance.address()).await.unwrap();
    assert_eq!(job_of(&post(&mut http, &path, &signed("m1", body, KEY, 1), body).await), Some(id));
    assert_eq!(channel.trigger("hook").await.unwrap().fired, 1);

    for (why, headers, body) in [
        ("another key", signed("m2", body, "another key", 0), body),
        ("another body", signed("m2", body, KEY, 0), r#"{"n":2}"#),
        ("too old", signed("m2", body, KEY, 400), body),
        ("from the future", signed("m2", body, KEY, -400), body),
        ("no signature", Vec::new(), body),
        ("another id", [signed("m2", body, KEY, 0), vec![("webhook-id", "m3".into())]].concat(), body),
    ] {
        let answer = post(&mut http, &path, &headers, body).await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated".to_owned()), "{why}");
    }
    let unknown = post(&mut http, &format!("/v1/hooks/{}", "0".repeat(32)), &good, body).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(post(&mut http, "/v1/hooks/../jobs", &good, body).await.status, 421);
    let large = "x".repeat(256 * 1024 + 1);
    assert_eq!(post(&mut http, &path, &signed("m4", &large, KEY, 0), &large).await.status, 413);
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let broken = post(&mut http, &path, &signed("m5", "{", KEY, 0), "{").await;
    assert_eq!((broken.status, broken.code()), (400, "bad_request".to_owned()));
    // Paused, it takes nothing, and says neither why nor whose it is.
    channel.pause_trigger("hook", true).await.unwrap();
    let paused = post(&mut http, &path, &signed("m6", body, KEY, 0), body).await;
    assert_eq!(paused.status, 503);
    assert!(!String::from_utf8_lossy(&paused.body).contains("echo"));
    let shown = channel.trigger("hook").await.unwrap();
    assert_eq!((shown.fired, shown.passed.refused), (1, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_answers_with_the_result_where_it_shall() {
    const SOURCE: &str = "export default ({ body }) => {
        if (body === null) throw new Error('a secret of ours');
        return { got: body };
    };";
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("answers", &javascript(SOURCE)).await.unwrap();
    alice.set_secret_for("HOOK_KEY", KEY, "answers").await;
    let auth = json!({ "api_key": { "secret": "HOOK_KEY", "header": "authorization" } });
    let http = json!({ "auth": auth, "respond": "result", "per_minute": 600 });
    let hook = definition(json!({ "function": "answers", "http": http }));
    let path = channel.set_trigger("hook", &hook).await.unwrap().hook.unwrap();
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let key =
        vec![("authorization", format!("Bearer {KEY}")), ("content-type", "application/json".to_owned())];
    let answer = post(&mut http, &path, &key, "7.10").await;
    assert_eq!((answer.status, &answer.body[..]), (200, &br#"{"got":7.1}"#[..]));
    assert_eq!(answer.headers["content-type"], "application/json");
    let failed = post(&mut http, &path, &key, "").await;
    assert_eq!((failed.status, failed.code()), (502, "function_failed".to_owned()));
    assert!(!String::from_utf8_lossy(&failed.body).contains("secret of ours"));
    assert_eq!(post(&mut http, &path, &[], "7").await.status, 401);
    assert_eq!(channel.jobs(None, None, 10).await.unwrap().jobs.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_to_its_tenants_triggers_and_no_other_sees_them() {
    let appliance = Appliance::start(Options::default()).await;
    let (alice, bob) =
        (Tenant::admitted(&appliance, "alice").await, Tenant::admitted(&appliance, "bob").await);
    let (mut channel, mut others) = (alice.channel().await, bob.channel().await);
    for channel in [&mut channel, &mut others] {
        channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    }
    let event = |filter: &str, transform: Value| {
        let topic = json!({ "topic": "order.paid" });
        definition(json!({ "function": "echo", "event": topic, "filter": filter, "transform": transform }))
    };
    channel.set_trigger("all", &event("true", Value::Null)).await.unwrap();
    channel.set_trigger("large", &event("event.data.total > 100", json!("event.data.total"))).await.unwrap();
    others.set_trigger("theirs", &event("true", Value::Null)).await.unwrap();
    let published = channel.publish("order.paid", r#"{"total":120}"#, Some("k")).await.unwrap();
    let names: Vec<&str> = published.fired.iter().map(|one| one.trigger.as_str()).collect();
    assert_eq!(names, ["all", "large"]);
    let [all, large] = [0, 1].map(|index| published.fired[index].job.unwrap());
    assert_eq!(event_of(&mut channel, all).await["data"], json!({ "total": 120 }));
    assert_eq!(event_of(&mut channel, large).await, 120);
    let again = channel.publish("order.paid", r#"{"total":120}"#, Some("k")).await.unwrap();
    assert!(again.fired.iter().all(|one| one.repeated && one.job.is_some()));
    let small = channel.publish("order.paid", r#"{"total":5}"#, None).await.unwrap();
    assert_eq!(small.fired[1].job, None);
    let none = channel.publish("order.paid", r#"{"no":"total"}"#, None).await.unwrap();
    assert!(none.fired[1].reason.as_deref().unwrap().contains("total"), "{none:?}");
    assert_eq!(channel.trigger("large").await.unwrap().passed.filtered, 1);

    // Nothing of it reached the other tenant, whose trigger nobody else sees or touches.
    let theirs = others.trigger("theirs").await.unwrap();
    assert_eq!(theirs.fired, 0);
    assert!(others.jobs(None, None, 100).await.unwrap().jobs.is_empty());
    assert_eq!(channel.triggers().await.unwrap().len(), 2);
    for error in [
        channel.trigger("theirs").await.unwrap_err(),
        channel.pause_trigger("theirs", true).await.unwrap_err(),
        channel.fire_trigger("theirs", "1").await.unwrap_err(),
        channel.delete_trigger("theirs").await.unwrap_err(),
        channel.trigger_history("theirs").await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "not_found");
    }
    // Rights of API keys, and of nobody.
    let mut signed_in = alice.signed_in().await;
    let invokes = signed_in.create_key("invokes", &[Scope::Invoke]).await.unwrap().secret;
    let deploys = signed_in.create_key("deploys", &[Scope::Deploy]).await.unwrap().secret;
    let mut session = Http::attested(&appliance.address()).await.unwrap();
    for (method, path, missing) in [
        (Method::GET, "/v1/triggers", &invokes),
        (Method::GET, "/v1/triggers/all", &invokes),
        (Method::PUT, "/v1/triggers/all", &invokes),
        (Method::DELETE, "/v1/triggers/all", &invokes),
        (Method::POST, "/v1/triggers/all/pause", &invokes),
        (Method::POST, "/v1/triggers/all/resume", &invokes),
        (Method::GET, "/v1/triggers/all/history", &invokes),
        (Method::POST, "/v1/triggers/all/fire", &deploys),
        (Method::POST, "/v1/events/order.paid", &deploys),
    ] {
        let answer = session.send(method.clone(), path, &[], &b"{}"[..]).await.unwrap();
        assert_eq!(answer.status, 401, "{path}");
        let bearer = format!("Bearer {missing}");
        let answer = session.send(method, path, &[("authorization", &bearer)], &b"{}"[..]).await.unwrap();
        assert_eq!(answer.status, 403, "{path}");
    }
    let mut public = Http::public(&appliance.address()).await.unwrap();
    assert_eq!(public.get("/v1/triggers").await.unwrap().status, 421);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_causes_itself_comes_to_an_end() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    let again = "export default async ({ data }) => r3e.events.publish('round', data + 1);";
    let mut deploy = javascript(again);
    deploy.permissions.publish = vec!["round".to_owned()];
    channel.deploy("again", &deploy).await.unwrap();
    let round = json!({ "function": "again", "event": { "topic": "round" } });
    channel.set_trigger("round", &definition(round)).await.unwrap();
    channel.publish("round", "0", None).await.unwrap();
    fires(&mut channel, "round", 9).await;
    let deadline = Instant::now() + LIMIT;
    let jobs = loop {
        let jobs = channel.jobs(None, None, 100).await.unwrap().jobs;
        if jobs.iter().all(|job| job.state.is_final()) {
            break jobs;
        }
        assert!(Instant::now() < deadline, "{jobs:?}");
        sleep(Duration::from_millis(50)).await;
    };
    // The newest first: the last one was not let publish.
    let hops: Vec<u32> = jobs.iter().map(|job| job.hops).collect();
    assert_eq!(hops, (0..=8).rev().collect::<Vec<_>>());
    assert_eq!(jobs[0].state, JobState::Dead);
    assert!(jobs[1..].iter().all(|job| job.state == JobState::Succeeded), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_run_as_their_r3e_toml_says() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let deploy = |name: &str| {
        let done = home.r3e(&["deploy", examples.join(name).to_str().unwrap()]).ok();
        done.err
    };
    assert!(deploy("cron-report").contains("+ trigger report (cron)"));
    assert!(deploy("cron-report").contains("  trigger report (cron)"), "nothing changed");
    let shown = home.r3e(&["triggers", "show", "report", "--json"]).ok().json();
    assert_eq!(shown["definition"]["cron"]["time_zone"], "Europe/Berlin");
    assert!(home.r3e(&["triggers", "list"]).ok().out.contains("cron-report"));

    alice.set_secret_for("PAYMENTS_KEY", KEY, "webhook").await;
    assert!(deploy("webhook").contains("+ trigger payments (http)"));
    let path = home.r3e(&["triggers", "show", "payments", "--json"]).ok().json()["hook"].clone();
    let path = path.as_str().unwrap().to_owned();
    let mut http = Http::public(&appliance.address()).await.unwrap();
    let small = r#"{"type":"payment.succeeded","data":{"amount":50}}"#;
    assert_eq!(job_of(&post(&mut http, &path, &signed("p1", small, KEY, 0), small).await), None);
    let large = r#"{"type":"payment.succeeded","data":{"amount":150}}"#;
    let job = job_of(&post(&mut http, &path, &signed("p2", large, KEY, 0), large).await).unwrap();
    let waited = home.r3e(&["jobs", "wait", &job.to_string()]).ok();
    let result: Value = serde_json::from_str(&waited.out).unwrap();
    assert_eq!(result, json!({ "id": "p2", "counted": true, "total": 150 }));

    let chain = deploy("event-chain");
    assert!(
        chain.contains("+ trigger order-paid (event)") && chain.contains("+ trigger order-placed (event)")
    );
    let publish = |topic: &str, data: &str| {
        let done = home.r3e(&["publish", topic, "--input", data, "--json"]).ok().json();
        let job = done["fired"][0]["job"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&home.r3e(&["jobs", "wait", &job]).ok().out).unwrap()
    };
    publish("order.placed", r#"{"order":7}"#);
    let paid = publish("order.paid", r#"{"order":7,"total":120}"#);
    assert_eq!(paid, json!({ "order": 7, "steps": ["placed", "paid"], "total": 120 }));
    let mut channel = alice.channel().await;
    fires(&mut channel, "order-shipping", 1).await;
    let history = channel.trigger_history("order-shipping").await.unwrap();
    let FireOutcome::Job(shipping) = history[0].outcome else { panic!("{history:?}") };
    let Some(VerifiedOutcome::Invocation(shipped)) = ended(&mut channel, shipping).await.outcome else {
        panic!("the order is not shipped")
    };
    assert_eq!(
        output(&shipped),
        json!({ "order": 7, "steps": ["placed", "paid", "shipping"], "total": 120 })
    );
    let shipping = home.r3e(&["jobs", "show", &shipping.to_string(), "--json"]).ok().json();
    assert_eq!(shipping["hops"], 1);

    // The schedule has fired meanwhile, or does soon.
    fires(&mut channel, "report", 1).await;
    let history = home.r3e(&["triggers", "history", "report", "--json"]).ok().json();
    let job = history[0]["outcome"]["job"].as_str().unwrap();
    let report = serde_json::from_str::<Value>(&home.r3e(&["jobs", "wait", job]).ok().out).unwrap();
    assert!(report["ticks"].as_u64().unwrap() >= 1, "{report}");
    home.r3e(&["triggers", "pause", "report"]).ok();
    home.r3e(&["triggers", "fire", "report"]).exits(1);
    home.r3e(&["triggers", "resume", "report"]).ok();
    let by_hand = home.r3e(&["triggers", "fire", "report", "--input", "1", "--json"]).ok().json();
    assert!(by_hand["job"].is_string());
    let made = r#"{"function":"event-chain","event":{"topic":"t"},"filter":"event.data"}"#;
    home.r3e(&["triggers", "create", "by-hand", "--definition", made]).ok();
    home.r3e(&["triggers", "create", "bad", "--definition", r#"{"function":"event-chain"}"#]).exits(2);
    home.r3e(&["triggers", "delete", "by-hand"]).ok();
    home.r3e(&["triggers", "show", "by-hand", "--json"]).fails_with("not_found");
    // A trigger goes with its declaration.
    let folder = home.path("cron-report");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::copy(examples.join("cron-report/src/main.js"), folder.join("src/main.js")).unwrap();
    let toml = std::fs::read_to_string(examples.join("cron-report/r3e.toml")).unwrap();
    std::fs::write(folder.join("r3e.toml"), toml.split("[[triggers]]").next().unwrap()).unwrap();
    let removed = home.r3e(&["deploy", folder.to_str().unwrap()]).ok();
    assert!(removed.err.contains("- trigger report"), "{}", removed.err);
    home.r3e(&["triggers", "show", "report", "--json"]).fails_with("not_found");
}
