//! Random numbers as a tenant draws them, and as somebody who was not there verifies them.

use r3e_client::{JobOptions, VerifiedOutcome};
use r3e_e2e::command::{Home, argument};
use r3e_e2e::tenant::{ended, javascript, output};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::jobs::{RetryOn, RetryPolicy};
use r3e_proto::api::random::{DrawRandom, Random};
use r3e_proto::random::Occasion;
use serde_json::json;

/// Draws, keeps what it drew, and does not like it the first time.
const CHOOSY: &str = "export default async () => {
    const drawn = await r3e.oracle.getRandomness(1, 1000000);
    const before = await r3e.store.get('first');
    if (before === null) { await r3e.store.set('first', drawn); throw new Error('again'); }
    return [before, drawn];
};";

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_is_verified_by_who_was_not_there() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let alice = Home::new(&appliance, "alice");
    tenant.key().write_new(&alice.path(".config/r3e/tenant.pem")).unwrap();
    let file = alice.path("draw.json");
    let draw =
        ["random", "draw", "block 7", "--min", "1", "--max", "100", "--json", "--save", argument(&file)];
    let drawn = alice.r3e(&draw).ok().json();
    let value = drawn["value"].as_u64().unwrap();
    assert!((1..=100).contains(&value));

    let trust = appliance.trust();
    let values = argument(&trust.reference_values_file).to_owned();
    let root = argument(&trust.test_root_file).to_owned();
    let tenant_id = tenant.id().to_string();
    let key = alice.r3e(&["random", "key", "--json"]).ok().json()["key"].as_str().unwrap().to_owned();
    let asked: Vec<&str> = "random FILE --json --reference-values VALUES --test-root ROOT --min 1 --max 100 --tenant TENANT --key KEY --seed"
        .split(' ')
        .map(|word| match word {
            "FILE" => argument(&file),
            "VALUES" => &values,
            "ROOT" => &root,
            "TENANT" => &tenant_id,
            "KEY" => &key,
            word => word,
        })
        .chain(["block 7"])
        .collect();
    let accepted = alice.verify(&asked).ok().json();
    assert_eq!((&accepted["accepted"], &accepted["random"]["value"]), (&json!(true), &json!(value)));
    let text = std::fs::read_to_string(&file).unwrap();
    let other = text.replace(&format!("\"value\":{value}"), &format!("\"value\":{}", value % 100 + 1));
    assert_ne!(other, text);
    std::fs::write(&file, other).unwrap();
    assert_eq!(alice.verify(&asked).exits(1).json()["reason"], "proof");

    // Another life draws the same for the same seed; another tenant does not.
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let again = DrawRandom { min: 1, max: 100, seed: "block 7".to_owned() };
    let same = tenant.channel().await.draw_random(&again).await.unwrap();
    assert_eq!((same.value, json!(same.proof)), (value, drawn["proof"].clone()));
    let bob = Tenant::admitted(&appliance, "bob").await;
    assert_ne!(bob.channel().await.draw_random(&again).await.unwrap().output, same.output);
    alice.r3e(&["random", "draw", "s", "--min", "2", "--max", "1", "--json"]).fails_with("bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_fails_gets_no_other_number() {
    let appliance = Appliance::start(Options::default()).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    let mut channel = alice.channel().await;
    channel.deploy("choosy", &javascript(CHOOSY)).await.unwrap();
    let policy = RetryPolicy {
        attempts: 2,
        first_delay_ms: 10,
        max_delay_ms: 10,
        retry_on: vec![RetryOn::FunctionError],
    };
    let retried = JobOptions { policy: Some(policy), ..JobOptions::default() };
    let job = channel.enqueue("choosy", "null", &retried).await.unwrap().id;
    let done = ended(&mut channel, job).await;
    let Some(VerifiedOutcome::Invocation(invocation)) = &done.outcome else { panic!("{done:?}") };
    let (first, second): (Random, Random) = serde_json::from_value(output(invocation)).unwrap();
    assert_eq!(first, second, "one number for the job, whatever its attempts do");
    let occasion = Occasion::Job { function: "choosy".to_owned(), job: job.0, index: 0 };
    assert_eq!(Occasion::decode(&first.message.0).unwrap(), occasion);
    assert_eq!(first.key, channel.random_key().await.unwrap().key);
}
