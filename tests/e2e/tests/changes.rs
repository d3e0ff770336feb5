//! What functions change themselves, by the samples of the product's own introduction: secrets that they set, triggers that they make.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use http::Method;
use r3e_client::TenantChannel;
use r3e_e2e::raw::Http;
use r3e_e2e::tenant::{granted, javascript, output, secret};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::identity::Scope;
use r3e_proto::api::secrets::{Action, Actor};
use r3e_proto::api::triggers::FireOutcome;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);

/// A function whose body is a sample.
fn sample(body: &str, permissions: Permissions) -> Deploy {
    let source = format!("export default async (event) => {{\n{body}\n}};");
    Deploy { permissions, ..javascript(&source) }
}

async fn run(channel: &mut TenantChannel, name: &str, event: Value) -> Value {
    output(&channel.invoke(name, event.to_string()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_stores_a_secret_and_gets_it() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let body = r#"
// Store a secret
if (event === null) await r3e.secrets.set("API_KEY", "your-api-key");

// Get a secret
const apiKey = await r3e.secrets.get("API_KEY");
return apiKey;"#;
    let names = vec!["API_KEY".to_owned()];
    let may = Permissions { secrets: names.clone(), set_secrets: names, ..Permissions::default() };
    let mut channel = alice.channel().await;
    channel.deploy("sample", &sample(body, may)).await.unwrap();
    assert_eq!(run(&mut channel, "sample", Value::Null).await, "your-api-key");

    // It is the tenant's: shown with who set it, granted to nobody, and not lost.
    let get =
        granted(javascript("export default async () => r3e.secrets.get('API_KEY');"), &["API_KEY"], &[]);
    channel.deploy("reader", &get).await.unwrap();
    let refused = channel.invoke("reader", "null").await.unwrap();
    assert_eq!(r3e_e2e::tenant::code(&refused), "function_error");
    assert!(channel.secret("API_KEY").await.unwrap().secret.grants.is_empty());
    let log = channel.secret_audit(Some("API_KEY"), 0).await.unwrap();
    let set = log.entries.iter().find(|entry| entry.action == Action::Set).unwrap();
    assert!(matches!(&set.by, Actor::Function { name, .. } if name == "sample"), "{set:?}");
    appliance.restart().await;
    let mut channel = alice.channel().await;
    assert_eq!(run(&mut channel, "sample", json!(1)).await, "your-api-key", "it is there still");
    // Once the tenant sets it, the function has it no more.
    channel.set_secret("API_KEY", secret("the real one")).await.unwrap();
    let refused = channel.invoke("sample", "1").await.unwrap();
    assert_eq!(r3e_e2e::tenant::code(&refused), "function_error");

    // Nor has another version of it what one set: that is whoever may deploy's.
    run(&mut channel, "sample", Value::Null).await;
    channel.deploy("sample", &granted(get, &["API_KEY"], &[])).await.unwrap();
    let refused = channel.invoke("sample", "null").await.unwrap();
    assert_eq!(r3e_e2e::tenant::code(&refused), "function_error");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_set_secrets_or_use_wallets_deploys_no_function_that_does() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut signed_in = alice.signed_in().await;
    let deploys = signed_in.create_key("deploys", &[Scope::Deploy]).await.unwrap().secret;
    let both = signed_in.create_key("both", &[Scope::Deploy, Scope::Secrets]).await.unwrap().secret;
    let pays = signed_in.create_key("pays", &[Scope::Deploy, Scope::Wallets]).await.unwrap().secret;
    let may = Permissions { set_secrets: vec!["KEY".to_owned()], ..Permissions::default() };
    let sets = serde_json::to_vec(&sample("await r3e.secrets.set('KEY', 'x');", may)).unwrap();
    let may = Permissions { wallets: vec!["w".to_owned()], ..Permissions::default() };
    let sends = serde_json::to_vec(&sample("await r3e.chain.sent('x');", may)).unwrap();
    let mut session = Http::attested(&appliance.address()).await.unwrap();
    for (key, function, status) in [
        (&deploys, &sets, 403),
        (&pays, &sets, 403),
        (&both, &sets, 200),
        (&deploys, &sends, 403),
        (&both, &sends, 403),
        (&pays, &sends, 200),
    ] {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = session.send(Method::PUT, "/v1/functions/f", &headers, function.clone()).await.unwrap();
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_makes_a_trigger_that_invokes_it() {
    let mut appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let body = r#"
// Create a time-based trigger (every hour)
const timeTrigger = await r3e.trigger.create({
  type: "time",
  schedule: "0 * * * *"
});
return [event, timeTrigger];"#;
    let may = Permissions { triggers: true, ..Permissions::default() };
    let mut channel = alice.channel().await;
    channel.deploy("sample", &sample(body, may.clone())).await.unwrap();
    let first = run(&mut channel, "sample", json!(1)).await;
    let name = first[1]["name"].as_str().unwrap().to_owned();
    assert_eq!(first, json!([1, { "name": name, "created": true }]));
    assert_eq!(run(&mut channel, "sample", json!(2)).await[1]["created"], false, "it is made once");
    let shown = channel.trigger(&name).await.unwrap();
    assert_eq!(shown.definition.made_by.as_deref(), Some("sample"));
    assert_eq!((shown.definition.function.as_str(), shown.next_at_ms.is_some()), ("sample", true));

    // One that ticks soon: it outlives a kill, and invokes the function, which ends it.
    let soon = "if (event.kind === 'cron') return r3e.trigger.delete('soon');
        return r3e.trigger.create({ name: 'soon', cron: { schedule: '*/5 * * * * *', missed: 'once' } });";
    channel.deploy("soon", &sample(soon, may)).await.unwrap();
    assert_eq!(run(&mut channel, "soon", json!({})).await, json!({ "name": "soon", "created": true }));
    let history = channel.trigger_history("soon").await.unwrap();
    assert!(history.is_empty() || matches!(history[0].outcome, FireOutcome::Job(_)), "{history:?}");
    appliance.restart().await;
    let mut channel = alice.channel().await;
    let deadline = Instant::now() + LIMIT;
    while channel.trigger("soon").await.is_ok() {
        assert!(Instant::now() < deadline, "the trigger's function did not run");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(channel.triggers().await.unwrap().len(), 1, "the other function's stands");
}
