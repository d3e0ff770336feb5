//! Prices as functions meet them: exchanges that move a feed across a trigger's bound and back, kills, a function that makes its own trigger, and one
//! that asks for the price.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use r3e_client::{TenantChannel, VerifiedOutcome};
use r3e_e2e::command::Home;
use r3e_e2e::exchanges::{EXCHANGES, Exchanges};
use r3e_e2e::tenant::{ended, javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::feeds::SetFeed;
use r3e_proto::api::functions::{Deploy, Permissions};
use r3e_proto::api::triggers::{FireOutcome, Trigger};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const ECHO: &str = "export default (event) => ({ event });";

/// A feed of all seven, which has a round each second and publishes each move.
fn feed() -> SetFeed {
    serde_json::from_value(json!({
        "pair": "BTC/USD",
        "sources": EXCHANGES.map(|(id, ..)| id),
        "interval_ms": 1_000,
        "timeout_ms": 1_000,
        "policy": { "decimals": 2, "deviation_bps": 10, "frozen_rounds": 100, "heartbeat_ms": 600_000 },
    }))
    .unwrap()
}

async fn start() -> (Exchanges, Appliance, Tenant) {
    let exchanges = Exchanges::start("64000").await;
    let options = Options {
        extra_roots: exchanges.authority().to_owned(),
        resolve: exchanges.resolve_rules(),
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    (exchanges, appliance, alice)
}

/// Has the feed publish a price, and waits until the trigger has judged it.
async fn goes_to(
    channel: &mut TenantChannel,
    exchanges: &Exchanges,
    trigger: &str,
    dollars: i128,
) -> Trigger {
    exchanges.all_say(&dollars.to_string());
    let deadline = Instant::now() + LIMIT;
    loop {
        let latest = channel.feed("btc-usd").await.unwrap().latest;
        let shown = channel.trigger(trigger).await.unwrap();
        if let Some(latest) = latest.filter(|latest| latest.answer == dollars * 100)
            && shown.price.as_ref().unwrap().sequence == latest.sequence
        {
            return shown;
        }
        assert!(Instant::now() < deadline, "{shown:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

/// The events that a trigger's jobs were given, in the order in which they were queued.
async fn events(channel: &mut TenantChannel, trigger: &str) -> Vec<Value> {
    let history = channel.trigger_history(trigger).await.unwrap();
    let mut events = Vec::new();
    for fire in history.iter().rev() {
        let FireOutcome::Job(id) = fire.outcome else { panic!("{fire:?}") };
        match &ended(channel, id).await.outcome {
            Some(VerifiedOutcome::Invocation(invocation)) => events.push(output(invocation)["event"].clone()),
            other => panic!("{other:?}"),
        }
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_runs_once_for_each_time_that_the_price_crosses_its_bound() {
    let (exchanges, mut appliance, alice) = start().await;
    let mut channel = alice.channel().await;
    channel.deploy("echo", &javascript(ECHO)).await.unwrap();
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    let dear = r#"{"function":"echo","price":{"feed":"btc-usd","above":"65000"}}"#;
    home.r3e(&["triggers", "create", "dear", "--definition", dear, "--json"]).fails_with("bad_request");
    channel.set_feed("btc-usd", &feed()).await.unwrap();
    home.r3e(&["triggers", "create", "dear", "--definition", dear]).ok();

    goes_to(&mut channel, &exchanges, "dear", 64_300).await;
    let shown = goes_to(&mut channel, &exchanges, "dear", 65_300).await;
    assert_eq!((shown.fired, shown.price.unwrap().armed), (1, Some(false)));
    let shown = goes_to(&mut channel, &exchanges, "dear", 65_700).await;
    assert_eq!(shown.fired, 1, "it was over the bound before");
    let first = events(&mut channel, "dear").await.remove(0);
    assert_eq!(
        (&first["kind"], &first["answer"], &first["feed"]),
        (&json!("price"), &json!("65300.00"), &json!("btc-usd"))
    );
    assert!(home.r3e(&["triggers", "show", "dear"]).ok().out.contains("btc-usd above 65000"));

    // Killed, it knows that it fired, and judges what comes next.
    drop(channel);
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let mut channel = alice.channel().await;
    let shown = goes_to(&mut channel, &exchanges, "dear", 66_100).await;
    assert_eq!(shown.fired, 1);
    goes_to(&mut channel, &exchanges, "dear", 64_900).await;
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let mut channel = alice.channel().await;
    let shown = goes_to(&mut channel, &exchanges, "dear", 65_200).await;
    assert_eq!((shown.fired, shown.price.unwrap().missed), (2, 0));
    let second = events(&mut channel, "dear").await.remove(1);
    assert_eq!(second["answer"], "65200.00");
    assert!(second["sequence"].as_u64() > first["sequence"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_itself_run_where_the_price_changes() {
    let (exchanges, _appliance, alice) = start().await;
    let mut channel = alice.channel().await;
    channel.set_feed("btc-usd", &feed()).await.unwrap();
    let source = r#"export default async (event) => event.kind === "price" ? { event }
        : r3e.trigger.create({ name: "moves", type: "price", feed: "btc-usd", change_bps: 200 });"#;
    let may = Permissions { triggers: true, ..Permissions::default() };
    channel.deploy("mover", &Deploy { permissions: may, ..javascript(source) }).await.unwrap();
    let made = channel.invoke("mover", "{}").await.unwrap();
    assert_eq!(output(&made), json!({ "name": "moves", "created": true }));
    // The first report is what changes count from.
    let shown = goes_to(&mut channel, &exchanges, "moves", 65_000).await;
    let from = shown.price.unwrap().reference.unwrap();
    assert!(from == "64000.00" || from == "65000.00", "{from}");
    let before = shown.fired;
    let shown = goes_to(&mut channel, &exchanges, "moves", 67_000).await;
    assert_eq!((shown.fired, shown.price.unwrap().reference.as_deref()), (before + 1, Some("67000.00")));
    let shown = goes_to(&mut channel, &exchanges, "moves", 66_000).await;
    assert_eq!(shown.fired, before + 1, "that is less than 2 %");
    let event = events(&mut channel, "moves").await.pop().unwrap();
    assert_eq!((&event["answer"], &event["reference"]), (&json!("67000.00"), &json!(from)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_reads_what_its_tenants_feed_said_last() {
    let (_exchanges, appliance, alice) = start().await;
    let bob = Tenant::admitted(&appliance, "bob").await;
    let (mut hers, mut his) = (alice.channel().await, bob.channel().await);
    let source = "export default async (event) => {
        try { return await r3e.oracle.getPrice(event.feed); } catch (error) { return error.code; }
    };";
    for channel in [&mut hers, &mut his] {
        channel.deploy("reader", &javascript(source)).await.unwrap();
    }
    let read = async |channel: &mut TenantChannel| {
        output(&channel.invoke("reader", r#"{"feed":"btc-usd"}"#).await.unwrap())
    };
    assert_eq!(read(&mut hers).await, "not_found");
    hers.set_feed("btc-usd", &feed()).await.unwrap();
    let deadline = Instant::now() + LIMIT;
    let latest = loop {
        if let Some(latest) = hers.feed("btc-usd").await.unwrap().latest {
            break latest;
        }
        assert!(Instant::now() < deadline, "nothing is published");
        sleep(Duration::from_millis(100)).await;
    };
    let expected = json!({
        "feed": "btc-usd", "pair": "BTC/USD", "answer": "64000.00", "confidence": latest.confidence_text(), "decimals": 2,
        "observedAtMs": latest.observed_at_s * 1_000, "validUntilMs": latest.valid_until_s * 1_000,
        "sequence": 1, "isStale": false,
    });
    assert_eq!(read(&mut hers).await, expected);
    assert_eq!(read(&mut his).await, "not_found", "it is nobody else's");
}
