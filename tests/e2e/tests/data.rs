//! What an endpoint answers, as a function has it signed, and as somebody who was not there verifies it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use r3e_e2e::command::{Home, argument};
use r3e_e2e::tenant::{granted, javascript, output};
use r3e_e2e::venue::{PRICES, Venue};
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::data::SignedObservation;
use serde_json::{Value, json};

const HOST: &str = "venue.example";
const URL: &str = "https://venue.example/v1/ticker?pair=NEO-USD";
const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";

/// Asks with a secret that its manifest names.
const RATES: &str = "export default async ({ url, path, targets, key }) => {
    const headers = { 'x-api-key': key ?? await r3e.secrets.get('KEY') };
    try { return await r3e.oracle.getCustomData({ url, path, headers, targets }); } catch (error) { return error.code; }
};";

async fn start() -> (Venue, Appliance, Tenant) {
    let venue = Venue::local(HOST, "venue-key").await;
    let options = Options {
        extra_roots: venue.authority().to_owned(),
        resolve: vec![venue.resolve_rule()],
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let alice = Tenant::admitted(&appliance, "alice").await;
    alice.channel().await.deploy("rates", &granted(javascript(RATES), &["KEY"], &[HOST])).await.unwrap();
    alice.set_secret_for("KEY", "venue-key", "rates").await;
    (venue, appliance, alice)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_verified_by_who_was_not_there() {
    let (venue, appliance, alice) = start().await;
    let home = Home::new(&appliance, "alice");
    alice.key().write_new(&home.path(".config/r3e/tenant.pem")).unwrap();
    let event = json!({ "url": URL, "path": "price", "targets": [EVM, NEO] }).to_string();
    let invoked = home.r3e(&["functions", "invoke", "rates", "--input", &event]).ok();
    let signed: SignedObservation = serde_json::from_str(&invoked.out).unwrap();
    assert_eq!((signed.value.as_str(), signed.tenant), (PRICES[0], alice.id()));
    assert!(!invoked.out.contains("venue-key"), "headers stand nowhere");
    assert_eq!(venue.seen()[0].api_key.as_deref(), Some("venue-key"));

    let file = home.path("rate.json");
    std::fs::write(&file, &invoked.out).unwrap();
    let trust = appliance.trust();
    let verify = |content: &SignedObservation, more: &[&str]| {
        std::fs::write(&file, json!(content).to_string()).unwrap();
        let mut asked = vec!["data", argument(&file), "--json"];
        asked.extend(["--reference-values", argument(&trust.reference_values_file)]);
        asked.extend(["--test-root", argument(&trust.test_root_file)]);
        if !more.contains(&"--certificate") {
            asked.push("--any-certificate");
        }
        home.verify(&[&asked, more].concat())
    };
    assert_eq!(verify(&signed, &[]).exits(2).json()["reason"], "no_document");
    home.r3e(&["feeds", "key", "--into", argument(&file)]).ok();
    let whole: SignedObservation = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(SignedObservation { document: None, ..whole.clone() }, signed);

    let (tenant, certificate) = (alice.id().to_string(), signed.certificate.to_string());
    let asked = ["--tenant", &tenant, "--function", "rates", "--url", URL, "--path", "price"];
    let more = ["--target", EVM, "--target", NEO, "--certificate", &certificate, "--max-age-ms", "600000"];
    let header = ["--header", "x-api-key: venue-key"];
    let accepted = verify(&whole, &[&asked[..], &more, &header].concat()).ok().json();
    assert_eq!((&accepted["accepted"], &accepted["data"]["value"]), (&json!(true), &json!(PRICES[0])));
    let settled = |verdict: &Value| {
        ["certificate_is_settled", "headers_are_settled"].map(|name| verdict["data"][name].as_bool().unwrap())
    };
    assert_eq!(settled(&accepted), [true; 2]);
    assert_eq!(settled(&verify(&whole, &[]).ok().json()), [false; 2]);
    assert_eq!(verify(&whole, &["--no-headers"]).exits(1).json()["reason"], "headers");
    let dearer = SignedObservation { value: "99".to_owned(), ..whole.clone() };
    assert_eq!(verify(&dearer, &[]).exits(1).json()["reason"], "data_signature");

    // Another tenant's keys are others, and its document says nothing of this.
    let bob = Tenant::admitted(&appliance, "bob").await;
    let of_bob = bob.channel().await.oracle_key().await.unwrap();
    let claimed = SignedObservation { document: Some(of_bob.document), ..whole.clone() };
    assert_eq!(verify(&claimed, &[]).exits(1).json()["reason"], "tenant");
    let claimed = SignedObservation { tenant: bob.id(), ..claimed };
    assert_eq!(verify(&claimed, &[]).exits(1).json()["reason"], "data_signature");
    let apart = home.path("oracle.document");
    home.r3e(&["feeds", "key", "--save", argument(&apart)]).ok();
    verify(&signed, &["--document", argument(&apart)]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_answered_is_not_signed() {
    let (venue, mut appliance, alice) = start().await;
    let mut channel = alice.channel().await;
    for (event, told) in [
        (json!({ "url": URL, "path": "price", "key": "wrong" }), "unavailable"),
        (json!({ "url": "https://venue.example/v1/other", "path": "price" }), "unavailable"),
        (json!({ "url": URL, "path": "pricy" }), "not_found"),
        (json!({ "url": "https://other.example/v1/ticker" }), "denied"),
        (json!({ "url": format!("https://{}/v1/ticker", venue.address()) }), "invalid"),
    ] {
        let invocation = channel.invoke("rates", event.to_string()).await.unwrap();
        assert_eq!(output(&invocation), json!(told), "{event}");
    }
    // The same keys sign in another life.
    let event = json!({ "url": URL, "path": "pair" }).to_string();
    let first: Value = output(&channel.invoke("rates", event.clone()).await.unwrap());
    assert_eq!(first["value"], "NEO-USD");
    assert_eq!(first["signatures"][0].get("target"), None);
    drop(channel);
    appliance.kill_enclave();
    appliance.start_enclave();
    appliance.ready().await;
    let again: Value = output(&alice.channel().await.invoke("rates", event.clone()).await.unwrap());
    assert_eq!(again["signatures"][0]["signer"], first["signatures"][0]["signer"]);
    assert_eq!(again["certificate"], first["certificate"]);
}
