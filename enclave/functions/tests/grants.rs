//! What a function may reach is what it was granted, whatever it asks for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::atomic::Ordering;

use appliance::{ALICE, Appliance, BOB, INVOCATION, ample, dice, function, granted, output};
use r3e_functions::limits::{
    MAX_ATTESTATIONS, MAX_CHAIN_ARGUMENTS_BYTES, MAX_CHAIN_KEY_BYTES, MAX_CHAIN_READS, MAX_CHAIN_SENDS,
    MAX_HOPS, MAX_PUBLISHED, MAX_RANDOM, MAX_SECRETS_SET, MAX_TRIGGER_BYTES, MAX_TRIGGERS_CHANGED,
};
use r3e_functions::{Event, Run, ToSend};
use r3e_proto::api::functions::{Deploy, Instance, Limits, Permissions};
use r3e_proto::api::random::Random;
use r3e_proto::api::versions::Reference;
use r3e_proto::api::zk::ProvedRanges;
use r3e_proto::channel::statement::MAX_FUNCTION_DATA_BYTES;
use r3e_proto::random::Occasion;
use serde_json::{Value, json};

/// Runs what the event names, and tells a refusal by its code.
const CATCHING: &str = "export default async (event) => {
    const run = {
        secret: () => r3e.secrets.get(event.name),
        store: () => r3e.store.set(event.key, event.value),
        fetch: async () => {
            const answer = await fetch(event.url, event.init);
            return [answer.status, answer.headers.get('x-kind'), await answer.text()];
        },
        publish: () => r3e.events.publish(event.topic, event.data, { key: event.key }),
        set: () => r3e.secrets.set(event.name, event.value),
        setAndGet: async () => [await r3e.secrets.get(event.name), await r3e.secrets.set(event.name, event.value),
            await r3e.secrets.get(event.name)],
        make: () => r3e.trigger.create(event.trigger),
        unmake: () => r3e.trigger.delete(event.name),
        price: () => r3e.oracle.getPrice(event.feed),
        random: () => r3e.oracle.getRandom(event.min, event.max, event.seed),
        proven: () => r3e.oracle.getRandomness(event.min, event.max, event.seed),
        prove: () => r3e.zk.createRangeProof(event.numbers, event.context),
        verify: () => r3e.zk.verifyRangeProof(event.proof),
        snark: () => r3e.zk.verifyProof(event.key, event.signals.map((signal) => event.big ? BigInt(signal) : signal), event.proof),
        large: async () => (await r3e.zk.createRangeProof([{ value: 2n ** 64n - 1n, min: '1', max: 2n ** 64n - 1n }])).proof.claims[0],
        manyProofs: async () => {
            for (let n = 0; n < event.proofs; n++) await r3e.zk.createRangeProof([{ value: 1, min: 0, max: 1 }]);
            return 'all';
        },
        read: async () => { const { height, values, data } = await r3e.chain.read(event.call); return [height, ...values, data]; },
        exact: async () => (await r3e.chain.read({ network: 'eip155:1', contract: 'c', method: 'm', args: [2n ** 255n, [1n]] })).values[1],
        send: async () => { const { name, stage, reason, outcome } = await r3e.chain.send(event.transaction); return [name, stage, reason, outcome]; },
        big: async () => (await r3e.chain.send({ ...event.transaction, value: 10n ** 30n, feeLimit: 2n ** 70n, args: [5n] })).name,
        sent: () => r3e.chain.sent(event.name),
        manySent: async () => {
            for (let n = 0; n < event.sends; n++) await r3e.chain.send({ ...event.transaction, key: `${n}` });
            return 'all';
        },
        many: async () => {
            for (let n = 0; n < event.reads; n++) await r3e.chain.read(event.call);
            return 'all';
        },
        attest: async () => (await r3e.tee.getAttestation(event.data)).length,
    };
    try { return await run[event.run](); } catch (error) { return `${error.name} ${error.code ?? error.message}`; }
};";

async fn told(appliance: &Appliance, event: &str) -> String {
    output(&appliance.invoke("f", event).await.unwrap())
}

#[tokio::test]
async fn a_secret_is_given_to_those_who_were_granted_it() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.secrets.set(ALICE, "OTHER", "not for f");
    appliance.secrets.set(BOB, "UNSET", "bob's");
    appliance.deploy("f", granted(CATCHING, &["KEY", "UNSET"], &[])).await;
    let ask = |name: &str| format!("{{\"run\":\"secret\",\"name\":\"{name}\"}}");
    assert_eq!(told(&appliance, &ask("KEY")).await, r#""sesame""#);
    assert_eq!(told(&appliance, &ask("UNSET")).await, "null", "granted, and not set by this tenant");
    for name in ["OTHER", "key", "KEY ", "KEY/../OTHER", "nothing"] {
        assert_eq!(told(&appliance, &ask(name)).await, r#""HostError denied""#, "{name}");
    }
    let asked = appliance.secrets.asked.lock().unwrap().clone();
    assert_eq!(asked, ["KEY", "UNSET"], "the source is never asked for what was not granted");
}

#[tokio::test]
async fn a_secret_is_in_no_log_and_no_hash_unless_the_function_puts_it_there() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", granted(CATCHING, &["KEY"], &[])).await;
    let completed = appliance.invoke("f", r#"{"run":"secret","name":"KEY"}"#).await.unwrap();
    assert!(completed.logs.is_empty());
    let source = "export default async () => { await r3e.secrets.get('KEY'); return 1; };";
    appliance.deploy("f", granted(source, &["KEY"], &[])).await;
    let completed = appliance.invoke("f", "null").await.unwrap();
    assert!(!format!("{completed:?}").contains("sesame"));
}

#[tokio::test]
async fn a_fetch_goes_to_granted_hosts_alone_and_is_counted() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(CATCHING, &[], &["api.example.com"])).await;
    let ask = |url: &str| format!("{{\"run\":\"fetch\",\"url\":\"{url}\"}}");
    let url = "https://api.example.com/v1/price?of=x";
    let completed = appliance.invoke("f", &ask(url)).await.unwrap();
    assert_eq!(output(&completed), r#"[200,"test","hello"]"#);
    assert!(completed.usage.bytes_out >= url.len() as u64);
    assert_eq!(appliance.connections.load(Ordering::SeqCst), 1);

    let long = "x".repeat(50_000);
    let post = format!(r#"{{"run":"fetch","url":"{url}","init":{{"method":"POST","body":"{long}"}}}}"#);
    let posted = appliance.invoke("f", &post).await.unwrap();
    assert_eq!(output(&posted), r#"[200,"test","hello"]"#);
    assert!(posted.usage.bytes_out >= 50_000 && posted.usage.bytes_out < 60_000, "{:?}", posted.usage);

    for refused in [
        "https://evil.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.com/",
        "https://api.example.com@evil.com/",
        "https://evil.com#api.example.com",
        "http://api.example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ] {
        let completed = appliance.invoke("f", &ask(refused)).await.unwrap();
        assert!(!output(&completed).starts_with('['), "{refused}: {}", output(&completed));
        assert_eq!(completed.usage.bytes_out, 0, "{refused}");
    }
    assert_eq!(appliance.connections.load(Ordering::SeqCst), 2, "the parent was asked for nothing else");
}

#[tokio::test]
async fn a_function_without_grants_reaches_nothing() {
    let appliance = Appliance::new().await;
    appliance.secrets.set(ALICE, "KEY", "sesame");
    appliance.deploy("f", function(CATCHING)).await;
    for event in [r#"{"run":"secret","name":"KEY"}"#, r#"{"run":"fetch","url":"https://api.example.com/"}"#] {
        assert!(told(&appliance, event).await.contains("denied"), "{event}");
    }
    assert_eq!(appliance.connections.load(Ordering::SeqCst), 0);
    assert!(appliance.secrets.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_document_names_the_tenant_and_the_version_and_there_are_few() {
    let appliance = Appliance::new().await;
    let deployed = appliance.deploy("f", function(CATCHING)).await;
    let ask = |data: &str| format!("{{\"run\":\"attest\",\"data\":\"{data}\"}}");
    assert_eq!(told(&appliance, &ask("my key")).await, "8");
    let asked = appliance.attestation.asked.lock().unwrap().clone();
    let version = asked.first().map(|(_, version, _)| hex::encode(version)).unwrap();
    assert_eq!((asked.len(), asked[0].0, version), (1, ALICE, deployed.version));
    assert_eq!(asked[0].2, b"my key");
    assert_eq!(told(&appliance, &ask(&"x".repeat(MAX_FUNCTION_DATA_BYTES))).await, "8");
    let larger = told(&appliance, &ask(&"x".repeat(MAX_FUNCTION_DATA_BYTES + 1))).await;
    assert_eq!(larger, r#""HostError too_large""#);
    assert_eq!(appliance.attestation.asked.lock().unwrap().len(), 2);

    let source = "export default async () => { let made = 0; try { for (;;) { \
                  await r3e.tee.getAttestation('x'); made++; } } catch (error) { return [made, error.code]; } };";
    let told = appliance.output(function(source), "null").await;
    assert_eq!(told, format!("[{MAX_ATTESTATIONS},\"limit_exceeded\"]"));
    assert_eq!(appliance.attestation.asked.lock().unwrap().len(), 2 + MAX_ATTESTATIONS as usize);
}

#[tokio::test]
async fn a_stored_value_over_a_limit_is_refused_and_the_function_is_told() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function(CATCHING)).await;
    let set = |key: &str, value: &str| format!(r#"{{"run":"store","key":"{key}","value":"{value}"}}"#);
    assert_eq!(told(&appliance, &set(&"k".repeat(300), "v")).await, r#""HostError too_large""#);
    assert_eq!(told(&appliance, &set("k", &"v".repeat(70_000))).await, r#""HostError too_large""#);
    assert_eq!(told(&appliance, &set("k", "v")).await, "null");
}

fn publishing(source: &str, topics: &[&str]) -> Deploy {
    let publish = topics.iter().map(|topic| (*topic).to_owned()).collect();
    Deploy { permissions: Permissions { publish, ..Permissions::default() }, ..function(source) }
}

#[tokio::test]
async fn events_are_published_of_granted_topics_in_the_tenants_name() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", publishing(CATCHING, &["order.paid"])).await;
    let ask = |topic: &str| format!(r#"{{"run":"publish","topic":"{topic}","data":{{"n":2.50}},"key":"k"}}"#);
    assert_eq!(told(&appliance, &ask("order.paid")).await, r#"{"queued":2,"failed":1}"#);
    let event = |key: Option<&str>, data: &str| Event {
        tenant: ALICE,
        topic: "order.paid".into(),
        data: data.into(),
        key: key.map(str::to_owned),
        hops: 1,
    };
    assert_eq!(*appliance.events.taken.lock().unwrap(), [event(Some("k"), r#"{"n":2.5}"#)]);
    for topic in ["order.placed", "order", "order.paid ", "Order.paid", "*"] {
        assert_eq!(told(&appliance, &ask(topic)).await, r#""HostError denied""#, "{topic}");
    }
    let keyless = r#"{"run":"publish","topic":"order.paid","data":null}"#;
    assert_eq!(told(&appliance, keyless).await, r#"{"queued":2,"failed":1}"#);
    assert_eq!(appliance.events.taken.lock().unwrap()[1..], [event(None, "null")]);
    for wrong in [r#"{"run":"publish","topic":"","data":1}"#, r#"{"run":"publish","topic":"order.paid"}"#] {
        assert!(told(&appliance, wrong).await.contains("TypeError"), "{wrong}");
    }
}

#[tokio::test]
async fn events_that_cause_one_another_come_to_an_end_and_none_floods() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", publishing(CATCHING, &["t"])).await;
    let ask = br#"{"run":"publish","topic":"t","data":1}"#;
    for hops in 0..=MAX_HOPS + 1 {
        let name = Reference::parse("f").unwrap();
        let done = appliance
            .invoker
            .invoke_one(ALICE, Run { hops, ..Run::asked(&[1; 16]) }, &name, None, ask)
            .await
            .unwrap();
        let refused = output(&done) == r#""HostError limit_exceeded""#;
        assert_eq!(refused, hops >= MAX_HOPS, "{hops}");
    }
    let hops: Vec<u32> = appliance.events.taken.lock().unwrap().iter().map(|event| event.hops).collect();
    assert_eq!(hops, (1..=MAX_HOPS).collect::<Vec<_>>());

    let source = "export default async () => { let made = 0; try { for (;;) { \
                  await r3e.events.publish('t', made); made++; } } catch (error) { return [made, error.code]; } };";
    let told = appliance.output(publishing(source, &["t"]), "null").await;
    assert_eq!(told, format!("[{MAX_PUBLISHED},\"limit_exceeded\"]"));
}

fn permitted(source: &str, permissions: Permissions) -> Deploy {
    Deploy { permissions, ..function(source) }
}

#[tokio::test]
async fn a_function_sets_the_secrets_that_it_may_and_has_what_it_set() {
    let appliance = Appliance::new().await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let may = Permissions {
        secrets: names(&["KEY", "READ"]),
        set_secrets: names(&["KEY", "WRITTEN"]),
        ..Permissions::default()
    };
    appliance.deploy("f", permitted(CATCHING, may.clone())).await;
    let ask = |run: &str, name: &str, value: &str| {
        format!(r#"{{"run":"{run}","name":"{name}","value":"{value}"}}"#)
    };
    assert_eq!(told(&appliance, &ask("setAndGet", "KEY", "new")).await, r#"[null,null,"new"]"#);
    assert_eq!(told(&appliance, &ask("set", "WRITTEN", "w")).await, "null");
    assert_eq!(told(&appliance, r#"{"run":"secret","name":"WRITTEN"}"#).await, r#""HostError denied""#);
    for name in ["READ", "OTHER", "key", "KEY "] {
        assert_eq!(told(&appliance, &ask("set", name, "v")).await, r#""HostError denied""#, "{name}");
    }
    assert_eq!(told(&appliance, &ask("set", "KEY", "refused")).await, r#""HostError unconfirmed""#);
    for wrong in [r#"{"run":"set","name":"KEY"}"#, r#"{"run":"set","name":"KEY","value":""}"#] {
        assert!(told(&appliance, wrong).await.contains("TypeError"), "{wrong}");
    }
    let set: Vec<_> = appliance.secrets.values.lock().unwrap().keys().map(|(_, name)| name.clone()).collect();
    assert_eq!(set, ["KEY", "WRITTEN"]);

    let source = "export default async () => { let set = 0; try { for (;;) { \
                  await r3e.secrets.set('KEY', 'v' + set); set++; } } catch (error) { return [set, error.code]; } };";
    let told = appliance.output(permitted(source, may), "null").await;
    assert_eq!(told, format!("[{MAX_SECRETS_SET},\"limit_exceeded\"]"));
}

#[tokio::test]
async fn a_process_that_set_a_secret_is_known_to_have_it() {
    let appliance = Appliance::new().await;
    let may = Permissions { set_secrets: vec!["KEY".into()], ..Permissions::default() };
    let source = "let had; export default async (event) => { if (event) { had = event; \
                  await r3e.secrets.set('KEY', event); } return had ?? null; };";
    let deploy = Deploy { instance: Instance { reuse: true }, ..permitted(source, may) };
    appliance.deploy("f", deploy).await;
    told(&appliance, r#""sesame""#).await;
    assert_eq!(told(&appliance, "null").await, r#""sesame""#, "the same process");
    assert_eq!(*appliance.secrets.held.lock().unwrap(), [("KEY".to_owned(), 2)]);
}

#[tokio::test]
async fn triggers_are_made_by_functions_that_may() {
    let appliance = Appliance::new().await;
    let make = r#"{"run":"make","trigger":{"type":"time","schedule":"0 * * * *"}}"#;
    appliance.deploy("f", function(CATCHING)).await;
    assert_eq!(told(&appliance, make).await, r#""HostError denied""#);
    assert_eq!(told(&appliance, r#"{"run":"unmake","name":"t"}"#).await, r#""HostError denied""#);
    assert!(appliance.made.0.lock().unwrap().is_empty());

    let may = Permissions { triggers: true, ..Permissions::default() };
    appliance.deploy("f", permitted(CATCHING, may.clone())).await;
    assert_eq!(told(&appliance, make).await, r#"{"name":"t","created":true}"#);
    assert_eq!(told(&appliance, make).await, r#"{"name":"t","created":false}"#);
    let first = ("f".to_owned(), r#"{"type":"time","schedule":"0 * * * *"}"#.to_owned());
    assert_eq!(appliance.made.0.lock().unwrap()[0], first);
    for (name, answer) in [("t", "true"), ("none", "false"), ("tenants", r#""HostError denied""#)] {
        assert_eq!(told(&appliance, &format!(r#"{{"run":"unmake","name":"{name}"}}"#)).await, answer);
    }
    let long = format!(r#"{{"run":"make","trigger":{{"filter":"{}"}}}}"#, "x".repeat(MAX_TRIGGER_BYTES));
    assert_eq!(told(&appliance, &long).await, r#""HostError too_large""#);
    assert!(told(&appliance, r#"{"run":"make"}"#).await.contains("TypeError"));

    let source = "export default async () => { let made = 0; try { for (;;) { \
                  await r3e.trigger.create({ made }); made++; } } catch (error) { return [made, error.code]; } };";
    let told = appliance.output(permitted(source, may), "null").await;
    assert_eq!(told, format!("[{MAX_TRIGGERS_CHANGED},\"limit_exceeded\"]"));
}

#[tokio::test]
async fn a_price_is_read_by_any_function_of_its_tenant() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function(CATCHING)).await;
    let ask = |feed: &str| format!(r#"{{"run":"price","feed":"{feed}"}}"#);
    let expected = concat!(
        r#"{"feed":"neo-usd","pair":"NEO/USD","answer":"-50.12000000","confidence":"0.03000000","decimals":8,"#,
        r#""observedAtMs":1795284000000,"validUntilMs":1795291200000,"sequence":412,"isStale":false}"#
    );
    assert_eq!(told(&appliance, &ask("neo-usd")).await, expected);
    assert_eq!(told(&appliance, &ask("NEO/USD")).await, r#""HostError not_found""#);
    assert_eq!(told(&appliance, &ask("broken")).await, r#""HostError unavailable""#);
    assert!(told(&appliance, r#"{"run":"price"}"#).await.contains("TypeError"));
}

#[tokio::test]
async fn random_numbers_are_of_a_seed_or_of_the_run() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function(CATCHING)).await;
    // What a number was drawn for, as whoever verifies it reads it.
    let key = dice(ALICE);
    let drawn = |occasion: Occasion| key.draw(&occasion, 1, 6).unwrap();
    let (name, seed) = ("f".to_owned(), "block 7".to_owned());
    let seeded = drawn(Occasion::FunctionSeed { function: name.clone(), seed });
    let of_run = drawn(Occasion::Invocation { function: name.clone(), invocation: INVOCATION, index: 0 });
    let ask = |run: &str, seed: &str| format!(r#"{{"run":"{run}","min":1,"max":6,"seed":{seed}}}"#);
    assert_eq!(told(&appliance, &ask("random", r#""block 7""#)).await, seeded.value.to_string());
    assert_eq!(told(&appliance, &ask("random", "null")).await, of_run.value.to_string());
    let proven = told(&appliance, &ask("proven", r#""block 7""#)).await;
    assert_eq!(serde_json::from_str::<Random>(&proven).unwrap(), seeded, "what the verifier takes");

    // Every attempt of a job has the same, in the order in which it draws.
    let twice = "export default async () => [await r3e.oracle.getRandomness(1, 6), await r3e.oracle.getRandom(1, 6)];";
    appliance.deploy("f", function(twice)).await;
    let (reference, job) = (Reference::parse("f").unwrap(), Some([9; 16]));
    let mut told_by = Vec::new();
    for invocation in [[1; 16], [2; 16]] {
        let run = Run { job, ..Run::asked(&invocation) };
        told_by
            .push(output(&appliance.invoker.invoke_one(ALICE, run, &reference, None, b"1").await.unwrap()));
    }
    assert_eq!(told_by[0], told_by[1]);
    let (first, second): (Random, u64) = serde_json::from_str(&told_by[0]).unwrap();
    let of_job = |index| drawn(Occasion::Job { function: name.clone(), job: [9; 16], index });
    assert_eq!((first, second), (of_job(0), of_job(1).value));
}

#[tokio::test]
async fn range_proofs_are_the_tenants_and_bind_their_context() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function(CATCHING)).await;
    let ask = r#"{"run":"prove","context":"auction 7","numbers":[{"value":42,"min":18,"max":"150"}]}"#;
    let made: ProvedRanges = serde_json::from_str(&told(&appliance, ask).await).unwrap();
    assert_eq!(r3e_range_proof::verify_document(&made.proof), Ok(()));
    assert_eq!((made.proof.owner, made.proof.context), (ALICE.to_string(), "auction 7".to_owned()));
    let large = told(&appliance, r#"{"run":"large"}"#).await;
    assert!(large.starts_with(r#"{"min":"1","max":"18446744073709551615","commitment":"0x"#), "{large}");

    let made: serde_json::Value = serde_json::from_str(&told(&appliance, ask).await).unwrap();
    let (key, proof) = appliance::SNARK;
    let snark = |signals: &str, key: &str| {
        format!(r#"{{"run":"snark","signals":{signals},"key":{key},"proof":{proof},"big":true}}"#)
    };
    assert_eq!(told(&appliance, &snark(r#"["33","106"]"#, key)).await, "true");
    assert_eq!(told(&appliance, &snark(r#"["33","107"]"#, key)).await, "false");
    assert_eq!(told(&appliance, &snark(r#"["33","106"]"#, "{}")).await, r#""HostError invalid""#);
    for wrong in [snark("[]", "null"), snark("[]", "1")] {
        assert!(told(&appliance, &wrong).await.starts_with(r#""TypeError"#), "{wrong}");
    }
    let verify =
        |proof: &serde_json::Value| serde_json::json!({ "run": "verify", "proof": proof }).to_string();
    assert_eq!(told(&appliance, &verify(&made["proof"])).await, "true");
    let mut changed = made["proof"].clone();
    changed["context"] = "auction 8".into();
    assert_eq!(told(&appliance, &verify(&changed)).await, "false");
    for (ask, said) in [
        (r#"{"run":"prove","numbers":[{"value":17,"min":18,"max":150}]}"#, r#""HostError invalid""#),
        (r#"{"run":"prove","numbers":[]}"#, r#""HostError invalid""#),
        (r#"{"run":"prove","numbers":[{"value":"1.5","min":1,"max":2}]}"#, r#""HostError invalid""#),
        (
            r#"{"run":"prove","context":"fails","numbers":[{"value":1,"min":1,"max":2}]}"#,
            r#""HostError unavailable""#,
        ),
        (r#"{"run":"verify","proof":{"whose":"mine"}}"#, r#""HostError invalid""#),
        (r#"{"run":"manyProofs","proofs":17}"#, r#""HostError limit_exceeded""#),
        (r#"{"run":"manyProofs","proofs":16}"#, r#""all""#),
    ] {
        assert_eq!(told(&appliance, ask).await, said, "{ask}");
    }
    for ask in [
        r#"{"run":"prove","numbers":1}"#,
        r#"{"run":"prove","numbers":[{"value":-1,"min":1,"max":2}]}"#,
        r#"{"run":"verify"}"#,
        r#"{"run":"prove","context":{"auction":7},"numbers":[{"value":1,"min":1,"max":2}]}"#,
    ] {
        assert!(told(&appliance, ask).await.starts_with(r#""TypeError"#), "{ask}");
    }
}

#[tokio::test]
async fn what_is_no_range_or_seed_gives_no_number() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", function(CATCHING)).await;
    for (ask, said) in [
        (r#"{"run":"random","min":2,"max":1}"#.to_owned(), r#""HostError invalid""#),
        (r#"{"run":"random","min":1,"max":2,"seed":""}"#.to_owned(), r#""HostError invalid""#),
        (
            format!(r#"{{"run":"random","min":1,"max":2,"seed":"{}"}}"#, "s".repeat(257)),
            r#""HostError invalid""#,
        ),
        (r#"{"run":"random","min":1,"max":13}"#.to_owned(), r#""HostError unavailable""#),
    ] {
        assert_eq!(told(&appliance, &ask).await, said, "{ask}");
    }
    for ask in [
        r#"{"run":"random"}"#,
        r#"{"run":"random","min":-1,"max":6}"#,
        r#"{"run":"random","min":0.5,"max":6}"#,
        r#"{"run":"random","min":1,"max":9007199254740992}"#,
        r#"{"run":"random","min":1,"max":6,"seed":7}"#,
    ] {
        assert!(told(&appliance, ask).await.contains("TypeError"), "{ask}");
    }
    let many = "export default async () => { let n = 0; \
                try { for (;; n++) await r3e.oracle.getRandom(1, 6); } catch (error) { return [n, error.code]; } };";
    let limits = Limits { host_calls: 2 * MAX_RANDOM, ..ample() };
    assert_eq!(
        appliance.output(Deploy { limits, ..function(many) }, "1").await,
        format!("[{MAX_RANDOM},\"limit_exceeded\"]")
    );
}

#[tokio::test]
async fn a_function_reads_the_networks_that_it_was_granted() {
    let appliance = Appliance::new().await;
    let of = |networks: &[&str]| {
        let networks = networks.iter().map(|network| (*network).to_owned()).collect();
        let limits = Limits { host_calls: 200, ..ample() };
        let permissions = Permissions { networks, ..Permissions::default() };
        Deploy { permissions, limits, ..function(CATCHING) }
    };
    let call = |call: &str| format!("{{\"run\":\"read\",\"call\":{call}}}");
    let whole = call(
        r#"{"network":"eip155:1","contract":"0xA","method":"f(uint8)","args":[1,"2",[true]],"confirmations":3}"#,
    );
    // None without a grant, and the grant of another network is none.
    for networks in [&[][..], &["eip155:10", "neo-n3:1"]] {
        appliance.deploy("f", of(networks)).await;
        assert_eq!(told(&appliance, &whole).await, "\"HostError denied\"");
    }
    appliance.deploy("f", of(&["neo-n3:1", "eip155:1", "eip155:1"])).await;
    let expected = r#"[7,["eip155:1","0xA","f(uint8)",3],[1,"2",[true]],null]"#;
    assert_eq!(told(&appliance, &whole).await, expected);
    let data = call(r#"{"network":"neo-n3:1","contract":"c","data":"0x01"}"#);
    assert_eq!(told(&appliance, &data).await, r#"[7,["neo-n3:1","c",null,0],[],"0x01"]"#);
    let most = format!(
        "[\"{}\",[\"1\"]]",
        "57896044618658097711785492504343953926634992332820282019728792003956564819968"
    );
    assert_eq!(told(&appliance, "{\"run\":\"exact\"}").await, most);
    for (wrong, expected) in [
        ("null", "TypeError what to read must be an object with a network and a contract"),
        (r#"{"network":"eip155:1"}"#, "TypeError a contract must be a non-empty string"),
        (r#"{"network":"eip155:1","contract":"c","args":{}}"#, "TypeError args must be an array"),
        (
            r#"{"network":"eip155:1","contract":"c","confirmations":-1}"#,
            "TypeError confirmations must be a whole number from 0 to 2^53 - 1",
        ),
        (r#"{"network":"eip155:1","contract":"reverts","method":"m"}"#, "HostError reverted"),
        (r#"{"network":"eip155:1","contract":"disagrees","method":"m"}"#, "HostError unavailable"),
    ] {
        assert_eq!(told(&appliance, &call(wrong)).await, format!("{expected:?}"), "{wrong}");
    }
    let long = "x".repeat(MAX_CHAIN_ARGUMENTS_BYTES);
    let long = call(&format!(r#"{{"network":"eip155:1","contract":"c","method":"m","args":["{long}"]}}"#));
    assert_eq!(told(&appliance, &long).await, "\"HostError too_large\"");
    for (reads, expected) in
        [(MAX_CHAIN_READS, "\"all\""), (MAX_CHAIN_READS + 1, "\"HostError limit_exceeded\"")]
    {
        let call = r#"{"network":"eip155:1","contract":"c","method":"m"}"#;
        let event = format!(r#"{{"run":"many","reads":{reads},"call":{call}}}"#);
        assert_eq!(told(&appliance, &event).await, expected);
    }
}

#[tokio::test]
async fn a_function_sends_by_the_wallets_that_it_was_granted() {
    let appliance = Appliance::new().await;
    let of = |networks: &[&str], wallets: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let permissions =
            Permissions { networks: texts(networks), wallets: texts(wallets), ..Permissions::default() };
        Deploy { permissions, ..function(CATCHING) }
    };
    let plain = json!({ "wallet": "w", "network": "eip155:1", "to": "0xB", "gasLimit": 21_000, "feeLimit": "7", "key": "k" });
    let with = |more: Value| {
        let mut transaction = plain.clone();
        transaction.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "run": "send", "transaction": transaction }).to_string()
    };
    let plainly = with(json!({}));
    for (networks, wallets) in
        [(&["eip155:1"][..], &[][..]), (&[], &["w"]), (&["eip155:2"], &["w"]), (&["eip155:1"], &["v"])]
    {
        appliance.deploy("f", of(networks, wallets)).await;
        assert_eq!(told(&appliance, &plainly).await, "\"HostError denied\"", "{networks:?} {wallets:?}");
    }
    let version = appliance.deploy("f", of(&["eip155:1"], &["v", "w"])).await.version;
    assert_eq!(told(&appliance, &plainly).await, r#"["f k","waiting","nobody mines",null]"#);
    // What it comes to is what was asked for, by whichever version asks.
    let (by, wanted, _) = appliance.chains.asked("f k");
    assert_eq!(by, version);
    let expected = ToSend {
        wallet: "w".into(),
        network: "eip155:1".into(),
        to: "0xB".into(),
        method: None,
        arguments: vec![],
        data: None,
        value: "0".into(),
        gas_limit: 21_000,
        fee_limit: "7".into(),
        scope: None,
        timeout_ms: None,
    };
    assert_eq!(wanted, expected);
    appliance.deploy("f", of(&["eip155:1", "eip155:2"], &["w"])).await;
    assert_eq!(told(&appliance, &plainly).await, r#"["f k","waiting","nobody mines",null]"#);
    assert_eq!(appliance.chains.asked("f k").2, 2);
    assert_eq!(told(&appliance, &with(json!({ "value": 1 }))).await, "\"HostError conflict\"");
    let big = plainly.replace("\"send\"", "\"big\"").replace("\"k\"", "\"big\"");
    assert_eq!(told(&appliance, &big).await, "\"f big\"");
    let (_, wanted, _) = appliance.chains.asked("f big");
    assert_eq!(
        (wanted.value, wanted.fee_limit),
        (format!("1{}", "0".repeat(30)), "1180591620717411303424".into())
    );
    assert_eq!(wanted.arguments, [json!("5")]);
    // On Neo N3 the fee alone has a limit.
    let neo = json!({ "gasLimit": null, "scope": "none", "key": "neo" });
    assert_eq!(told(&appliance, &with(neo)).await, r#"["f neo","waiting","nobody mines",null]"#);
    let (_, wanted, _) = appliance.chains.asked("f neo");
    assert_eq!((wanted.gas_limit, wanted.scope.as_deref()), (0, Some("none")));
    // How far it is.
    let asked = |name: &str| json!({ "run": "sent", "name": name }).to_string();
    let ended = format!(
        r#"{{"name":"f k","stage":"ended","outcome":"included","succeeded":false,"hash":"0x{}","height":12,"reason":null}}"#,
        "09".repeat(32)
    );
    assert_eq!(told(&appliance, &asked("f k")).await, ended);
    assert_eq!(told(&appliance, &asked("g k")).await, "\"HostError not_found\"");
    for (wrong, expected) in [
        (json!({ "to": "denied", "key": "d" }), "HostError denied"),
        (json!({ "key": "" }), "TypeError a key must be a non-empty string"),
        (json!({ "key": null }), "TypeError a key must be a non-empty string"),
        (json!({ "key": "x".repeat(MAX_CHAIN_KEY_BYTES + 1) }), "HostError invalid"),
        (json!({ "value": -1 }), "TypeError a value must be a whole number from 0 to 2^53 - 1"),
        (json!({ "value": true }), "TypeError a value must be a bigint, decimal text or a whole number"),
        (json!({ "feeLimit": null }), "TypeError feeLimit must be a bigint, decimal text or a whole number"),
        (json!({ "gasLimit": "1" }), "TypeError gasLimit must be a whole number from 0 to 2^53 - 1"),
        (json!({ "scope": 1 }), "TypeError a scope must be a non-empty string"),
        (json!({ "wallet": 1 }), "TypeError a wallet must be a non-empty string"),
    ] {
        assert_eq!(told(&appliance, &with(wrong.clone())).await, format!("{expected:?}"), "{wrong}");
    }
    for (sends, expected) in
        [(MAX_CHAIN_SENDS, "\"all\""), (MAX_CHAIN_SENDS + 1, "\"HostError limit_exceeded\"")]
    {
        let event = json!({ "run": "manySent", "sends": sends, "transaction": plain }).to_string();
        assert_eq!(told(&appliance, &event).await, expected);
    }
}
