//! Price feeds as tenants, relying parties and strangers meet them: exchanges that agree, lie, freeze, talk nonsense or say nothing; kills;
//! reports that are verified offline.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::time::Duration;

use r3e_client::TenantChannel;
use r3e_e2e::command::{Home, argument};
use r3e_e2e::exchanges::{EXCHANGES, Exchanges, Manner};
use r3e_e2e::raw::Http;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::feeds::{Feed, RoundOutcome, SetFeed, SignedReport};
use r3e_proto::api::identity::Scope;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const LIMIT: Duration = Duration::from_mins(2);
const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";

/// A feed of all seven, which has a round each second and publishes each move.
fn definition() -> Value {
    json!({
        "pair": "BTC/USD",
        "sources": EXCHANGES.map(|(id, ..)| id),
        "interval_ms": 1_000,
        "timeout_ms": 1_000,
        "targets": [EVM, NEO],
        "policy": { "decimals": 2, "deviation_bps": 10, "frozen_rounds": 4, "heartbeat_ms": 600_000 },
    })
}

fn set() -> SetFeed {
    serde_json::from_value(definition()).unwrap()
}

async fn start(price: &str) -> (Exchanges, Appliance, Tenant) {
    let exchanges = Exchanges::start(price).await;
    let options = Options {
        extra_roots: exchanges.authority().to_owned(),
        resolve: exchanges.resolve_rules(),
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    (exchanges, appliance, alice)
}

async fn until(channel: &mut TenantChannel, what: &str, holds: impl Fn(&Feed) -> bool) -> Feed {
    let deadline = Instant::now() + LIMIT;
    loop {
        let feed = channel.feed("btc-usd").await.unwrap();
        if holds(&feed) {
            return feed;
        }
        assert!(Instant::now() < deadline, "{what}: {feed:#?}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn says(feed: &Feed, answer: i128) -> bool {
    feed.latest.is_some_and(|latest| latest.answer == answer)
}

fn fate(feed: &Feed, id: &str) -> String {
    let round = feed.last_round.as_ref().unwrap();
    round.sources.iter().find(|source| source.source == id).unwrap().fate.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_of_every_bad_kind_do_not_move_a_feed_and_too_many_of_them_silence_it() {
    let (exchanges, mut appliance, alice) = start("64000").await;
    let mut channel = alice.channel().await;
    channel.set_feed("btc-usd", &set()).await.unwrap();
    let first = until(&mut channel, "agreement", |feed| says(feed, 6_400_000)).await;
    assert_eq!((first.latest.unwrap().sequence, first.latest.unwrap().sources), (1, 7));

    let mut price = 64_000;
    for pair in [
        [("binance", Manner::Lying("70000"), "outlier"), ("okx", Manner::Lying("9"), "outlier")],
        [("kraken", Manner::Html, "unreadable"), ("gemini", Manner::Nan, "unreadable")],
        [("bitstamp", Manner::Huge, "unreachable"), ("kucoin", Manner::Redirect, "unreachable")],
        [("coinbase", Manner::Stalled, "unreachable"), ("binance", Manner::Frozen, "frozen")],
    ] {
        for (id, manner, _) in &pair {
            exchanges.behaves(id, manner.clone());
        }
        price += 300;
        exchanges.all_say(&price.to_string());
        until(&mut channel, "a move", |feed| says(feed, price * 100)).await;
        let is_seen = |feed: &Feed| pair.iter().all(|(id, _, expected)| fate(feed, id) == *expected);
        let feed = until(&mut channel, "their fates", is_seen).await;
        assert!(says(&feed, price * 100), "nobody moved it: {feed:#?}");
        let outcome = feed.last_round.unwrap().outcome;
        assert!(matches!(outcome, RoundOutcome::Quiet | RoundOutcome::Published), "{outcome:?}");
        for (id, ..) in &pair {
            exchanges.behaves(id, Manner::Honest);
        }
    }
    let redirected = exchanges.asked();

    // Below the quorum: nothing, and why.
    let before = until(&mut channel, "all honest", |feed| {
        feed.last_round.as_ref().is_some_and(|round| round.sources.iter().all(|it| it.fate == "counted"))
    })
    .await;
    assert!(exchanges.asked() > redirected);
    for id in ["binance", "coinbase", "okx"] {
        exchanges.behaves(id, Manner::Stalled);
    }
    exchanges.all_say("70000");
    let is_silenced = |feed: &Feed| {
        feed.rounds.nothing >= before.rounds.nothing + 2
            && feed.last_round.as_ref().is_some_and(|round| {
                let why = "4 of 7 sources count, and 5 are needed: 2 of 3";
                // Of those that are honest one may be slow, for a round.
                round.outcome == RoundOutcome::Nothing && round.reason.as_deref() == Some(why)
            })
    };
    let silenced = until(&mut channel, "silence", is_silenced).await;
    assert_eq!(silenced.sequence, before.sequence, "nothing is published");

    // Killed at any time, it goes on behind its last sequence.
    for id in ["binance", "coinbase", "okx"] {
        exchanges.behaves(id, Manner::Honest);
    }
    let mut least = until(&mut channel, "they are back", |feed| says(feed, 7_000_000)).await.sequence;
    for kill in 0..3_u64 {
        drop(channel);
        exchanges.all_say(&(70_000 + 200 * (kill + 1)).to_string());
        sleep(Duration::from_millis(333 * kill)).await;
        appliance.kill_enclave();
        if kill == 1 {
            appliance.kill_parent();
            appliance.start_parent();
        }
        appliance.start_enclave();
        appliance.ready().await;
        channel = alice.channel().await;
        let answer = 7_000_000 + 20_000 * i128::from(kill + 1);
        let feed = until(&mut channel, "it goes on", |feed| says(feed, answer)).await;
        assert!(feed.sequence > least, "{} after {least}", feed.sequence);
        least = feed.sequence;
    }
    let page = channel.feed_history("btc-usd", None, 100).await.unwrap();
    let sequences: Vec<u64> = page.reports.iter().map(|report| report.sequence).collect();
    assert_eq!(sequences, (1..=least).rev().collect::<Vec<_>>(), "each of them once");
    let times: Vec<u64> = page.reports.iter().map(|report| report.observed_at_s).collect();
    assert!(times.is_sorted_by(|later, earlier| later >= earlier));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_traced_from_the_tool_to_the_attestation() {
    let (exchanges, appliance, tenant) = start("64000").await;
    let alice = Home::new(&appliance, "alice");
    tenant.key().write_new(&alice.path(".config/r3e/tenant.pem")).unwrap();
    let file = alice.path("btc-usd.json");
    std::fs::write(&file, definition().to_string()).unwrap();
    alice.r3e(&["feeds", "create", "btc-usd", argument(&file)]).ok();
    let watched = alice.r3e(&["feeds", "watch", "btc-usd", "--count", "1", "--json"]).ok().json();
    assert_eq!(watched["report"]["answer"], "6400000");
    assert_eq!(watched["signatures"].as_array().unwrap().len(), 2);
    assert!(alice.r3e(&["feeds", "list"]).ok().out.contains("64000.00"));
    let shown = alice.r3e(&["feeds", "show", "btc-usd", "--json"]).ok().json();
    assert_eq!(shown["config_digest"], watched["report"]["config_digest"]);

    let (report, described) = (alice.path("btc-usd.report"), alice.path("definition.json"));
    std::fs::write(&described, shown["definition"].to_string()).unwrap();
    alice.r3e(&["feeds", "report", "btc-usd", "--sequence", "1", "--save", argument(&report)]).ok();
    let trust = appliance.trust();
    let values = argument(&trust.reference_values_file).to_owned();
    let root = argument(&trust.test_root_file).to_owned();
    let tenant = tenant.id().to_string();
    let asked = [
        "report",
        argument(&report),
        "--json",
        "--reference-values",
        &values,
        "--test-root",
        &root,
        "--feed",
        "btc-usd",
        "--tenant",
        &tenant,
        "--target",
        EVM,
        "--target",
        NEO,
        "--definition",
        argument(&described),
    ];
    let accepted = alice.verify(&asked).ok().json();
    assert_eq!((&accepted["accepted"], &accepted["report"]["sequence"]), (&json!(true), &json!(1)));
    // Of no appliance that this one's root does not vouch for, and not with a digit changed.
    assert_eq!(alice.verify(&asked[..5]).exits(1).json()["reason"], "untrusted_root");
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::write(&report, text.replace("\"6400000\"", "\"6400001\"")).unwrap();
    assert_eq!(alice.verify(&asked).exits(1).json()["reason"], "report_signature");

    exchanges.all_say("65000");
    alice.r3e(&["feeds", "watch", "btc-usd", "--after", "1", "--count", "1"]).ok();
    let history = alice.r3e(&["feeds", "history", "btc-usd", "--json"]).ok().json();
    assert_eq!(history[0]["answer"], "6500000");
    let at = history[1]["observed_at_s"].to_string();
    let then = alice.r3e(&["feeds", "report", "btc-usd", "--at", &at, "--json"]).ok().json();
    assert!(then["report"]["sequence"].as_u64().unwrap() >= 1);
    assert!(alice.r3e(&["feeds", "pause", "btc-usd"]).ok().out.contains("paused"));
    assert!(alice.r3e(&["feeds", "resume", "btc-usd"]).ok().out.contains("resumed"));
    alice.r3e(&["feeds", "delete", "btc-usd"]).ok();
    alice.r3e(&["feeds", "show", "btc-usd", "--json"]).fails_with("not_found");
    let again = alice.r3e(&["feeds", "create", "btc-usd", argument(&file), "--json"]).ok().json();
    assert_eq!(again["sequence"], history[0]["sequence"], "its sequence is not forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_each_report_once_and_goes_on_where_it_was() {
    let (exchanges, mut appliance, alice) = start("64000").await;
    let mut channel = alice.channel().await;
    channel.set_feed("btc-usd", &set()).await.unwrap();
    let key = alice.signed_in().await.create_key("reader", &[Scope::Invoke]).await.unwrap();
    let bearer = format!("Bearer {}", key.secret);
    let path = "/v1/feeds/btc-usd/stream";
    let open = async |address: String, last: &str| {
        let mut http = Http::attested(&address).await.unwrap();
        let headers = [("authorization", bearer.as_str()), ("last-event-id", last)];
        let stream = http.stream(path, &headers).await.unwrap();
        (http, stream)
    };
    let (_http, mut stream) = open(appliance.address(), "0").await;
    for sequence in 1..=3 {
        let event = loop {
            let event = stream.event().await.unwrap();
            if !event.starts_with(':') {
                break event;
            }
        };
        let (head, data) = event.split_once("\ndata: ").unwrap();
        assert_eq!(head, format!("id: {sequence}\nevent: report"));
        let signed: SignedReport = serde_json::from_str(data).unwrap();
        assert_eq!(signed, channel.feed_report_of("btc-usd", sequence).await.unwrap());
        exchanges.all_say(&(64_000 + 300 * sequence).to_string());
    }
    // Whoever comes again is told what it missed.
    let (_again, mut stream) = open(appliance.address(), "1").await;
    for sequence in 2..=3 {
        assert!(stream.event().await.unwrap().starts_with(&format!("id: {sequence}\n")));
    }
    // An appliance that stops waits for nobody who listens, or asks for what comes next.
    let waiting =
        tokio::spawn(async move { channel.next_feed_report("btc-usd", 99, Duration::from_secs(20)).await });
    sleep(Duration::from_millis(300)).await;
    appliance.restart().await;
    while stream.event().await.is_some() {}
    assert!(waiting.await.unwrap().is_err());
    let (_http, mut stream) = open(appliance.address(), "3").await;
    exchanges.all_say("70000");
    assert!(stream.event().await.unwrap().starts_with("id: "));
    // Its end is the feed's.
    alice.channel().await.delete_feed("btc-usd").await.unwrap();
    while stream.event().await.is_some() {}
    let mut stranger = Http::attested(&appliance.address()).await.unwrap();
    assert!(stranger.stream(path, &[]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_feed_is_nobody_elses_and_a_public_one_everybodys_to_read() {
    let (_exchanges, appliance, alice) = start("64000").await;
    let bob = Tenant::admitted(&appliance, "bob").await;
    let (mut hers, mut his) = (alice.channel().await, bob.channel().await);
    hers.set_feed("btc-usd", &set()).await.unwrap();
    until(&mut hers, "agreement", |feed| feed.latest.is_some()).await;
    for refused in [
        his.feed("btc-usd").await.map(drop),
        his.feed_report("btc-usd").await.map(drop),
        his.feed_history("btc-usd", None, 10).await.map(drop),
        his.next_feed_report("btc-usd", 0, Duration::ZERO).await.map(drop),
        his.pause_feed("btc-usd", true).await.map(drop),
        his.delete_feed("btc-usd").await,
    ] {
        assert_eq!(refused.unwrap_err().code(), "not_found");
    }
    assert!(his.feeds().await.unwrap().is_empty());
    let (report, key) =
        (format!("/v1/oracle/{}/feeds/btc-usd", alice.id()), format!("/v1/oracle/{}/key", alice.id()));
    let mut stranger = Http::public(&appliance.address()).await.unwrap();
    for path in [&report, &key, "/v1/oracle/nobody/key"] {
        assert_eq!(stranger.get(path).await.unwrap().status, 404, "{path}");
    }
    assert_eq!(stranger.get("/v1/feeds").await.unwrap().status, 421);

    let public = SetFeed { public: true, ..set() };
    hers.set_feed("btc-usd", &public).await.unwrap();
    let answer = stranger.get(&report).await.unwrap();
    assert_eq!(answer.status, 200);
    let read: SignedReport = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(read, hers.feed_report("btc-usd").await.unwrap());
    let answer = stranger.get(&key).await.unwrap();
    let read: Value = serde_json::from_slice(&answer.body).unwrap();
    let own = hers.oracle_key().await.unwrap();
    assert_eq!(read["evm_address"], json!(own.evm_address));
    assert_ne!(own.evm_address, his.oracle_key().await.unwrap().evm_address);
    // What breaks a rule is refused with the reason.
    let mut local = definition();
    local["sources"][0] = json!({ "id": "own", "url": "https://169.254.169.254/{pair}", "pair": "{BASE}", "price": "p", "weight": 1 });
    let refused = his.set_feed("f", &serde_json::from_value(local).unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), "bad_request");
    assert!(refused.to_string().contains("not a public DNS name"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_traced_from_the_tool_to_the_attestation() {
    let (_exchanges, appliance, tenant) = start("64000").await;
    let alice = Home::new(&appliance, "alice");
    tenant.key().write_new(&alice.path(".config/r3e/tenant.pem")).unwrap();
    let create = |name: &str, definition: Value| {
        let file = alice.path(&format!("{name}.json"));
        std::fs::write(&file, definition.to_string()).unwrap();
        alice.r3e(&["feeds", "create", name, argument(&file)]).ok();
        alice.r3e(&["feeds", "watch", name, "--count", "1"]).ok();
    };
    let of_one = |target: &str| {
        let mut definition = definition();
        definition["targets"] = json!([target]);
        definition
    };
    create("a", definition());
    create("b", definition());
    create("evm", of_one(EVM));
    create("neo", of_one(NEO));
    let batch = alice.path("prices.batch");
    let made =
        alice.r3e(&["feeds", "batch", "a", "b", "evm", "--save", argument(&batch), "--json"]).ok().json();
    let targets: Vec<&Value> =
        made["signatures"].as_array().unwrap().iter().map(|one| &one["target"]).collect();
    assert_eq!(targets, [EVM], "it is for whom all of them are");
    for wrong in [&["a", "a"][..], &["evm", "neo"]] {
        alice.r3e(&[&["feeds", "batch", "--json"], wrong].concat()).fails_with("bad_request");
    }
    alice.r3e(&["feeds", "batch", "a", "none", "--json"]).fails_with("not_found");
    let of_neo = alice.path("neo.batch");
    alice.r3e(&["feeds", "batch", "neo", "--save", argument(&of_neo)]).ok();

    let trust = appliance.trust();
    let (values, root) = (argument(&trust.reference_values_file), argument(&trust.test_root_file));
    let verify = |more: &[&str]| {
        let fixed = ["report", argument(&batch), "--json", "--reference-values", values, "--test-root", root];
        alice.verify(&[&fixed[..], more].concat())
    };
    let neo =
        ["report", argument(&of_neo), "--reference-values", values, "--test-root", root, "--target", NEO];
    alice.verify(&neo).ok();
    let accepted = verify(&["--target", EVM]).ok().json();
    let feeds = accepted["batch"]["reports"].as_array().unwrap();
    assert_eq!((feeds.len(), &accepted["batch"]["root"]), (3, &made["root"]));
    assert_eq!(verify(&["--target", NEO]).exits(1).json()["reason"], "target");
    let one = verify(&["--feed", "b"]).ok().json();
    assert_eq!(one["batch"]["reports"][0]["feed"], "b");
    assert_eq!(verify(&["--feed", "neo"]).exits(1).json()["reason"], "feed");

    // One of its reports alone is shown by its proof; a digit that is changed is not.
    let text = std::fs::read_to_string(&batch).unwrap();
    let mut cut: Value = serde_json::from_str(&text).unwrap();
    cut["reports"].as_array_mut().unwrap().remove(0);
    std::fs::write(&batch, cut.to_string()).unwrap();
    let rest = verify(&[]).ok().json();
    assert_eq!((&rest["batch"]["size"], rest["batch"]["reports"].as_array().unwrap().len()), (&json!(3), 2));
    std::fs::write(&batch, text.replace("\"6400000\"", "\"6400001\"")).unwrap();
    assert_eq!(verify(&[]).exits(1).json()["reason"], "batch");
    let refused = |changed: &Value| {
        std::fs::write(&batch, changed.to_string()).unwrap();
        verify(&[]).exits(1).json()["reason"].as_str().unwrap_or_default().to_owned()
    };
    // None stands for two, and their order is the tree's.
    let whole: Value = serde_json::from_str(&text).unwrap();
    let of = |places: &[usize]| {
        let mut file = whole.clone();
        file["reports"] = places.iter().map(|place| whole["reports"][*place].clone()).collect();
        file
    };
    for places in [&[0, 0, 1][..], &[1, 0], &[0, 1, 2, 2]] {
        assert_eq!(refused(&of(places)), "batch", "{places:?}");
    }
    // A size that was not signed, of the one report that is shown, for which the tree has the same shape.
    let mut one = of(&[1]);
    one["reports"][0]["proof"]["size"] = json!(4);
    assert_eq!(refused(&one), "report_signature");
    let mut two = of(&[0, 1]);
    two["reports"][1]["proof"]["size"] = json!(4);
    assert_eq!(refused(&two), "batch");
    let mut twice = whole.clone();
    let signature = whole["signatures"][0].clone();
    twice["signatures"].as_array_mut().unwrap().push(signature);
    for malformed in [of(&[]), twice] {
        assert_eq!(refused(&malformed), "malformed");
    }
    std::fs::write(&batch, &text).unwrap();
    let shown = alice.r3e(&["feeds", "show", "b", "--json"]).ok().json();
    let definition = alice.path("b.definition.json");
    std::fs::write(&definition, shown["definition"].to_string()).unwrap();
    assert_eq!(verify(&["--definition", argument(&definition)]).exits(2).json()["reason"], "definition");
    verify(&["--definition", argument(&definition), "--feed", "b"]).ok();
}
