//! The main job through the tools a user has: verify the enclave, deploy a function with a secret, invoke it, check the
//! receipt offline; and who may do what on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use r3e_e2e::command::{Home, argument};
use r3e_e2e::main_job::{Town, set_secret, set_secret_for, verify_receipt};
use serde_json::{Value, json};

const PROBE: &str = r#"
const code = (error) => error.code ?? error.name;
const tried = async (work) => { try { return await work(); } catch (error) { return { refused: code(error) }; } };
export default async function (event) {
  console.info("probing", event.host);
  return {
    granted: await tried(() => r3e.secrets.get("GRANTED")),
    withheld: await tried(() => r3e.secrets.get("WITHHELD")),
    fetched: await tried(async () => (await fetch(`https://${event.host}/v1/ticker`)).status),
  };
}
"#;

fn write(home: &Home, name: &str, text: &str) -> String {
    let path = home.path(name);
    std::fs::write(&path, text).unwrap();
    argument(&path).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_with_a_secret_runs_and_its_receipt_convinces_a_stranger() {
    Town::new().await.do_main_job();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    let source = write(&alice, "echo.js", "export default (event) => event;");
    alice.r3e(&["functions", "deploy", &source, "--name", "echo"]).ok();
    alice.r3e(&["functions", "invoke", "echo", "--input", "[1]", "--receipt", "echo.receipt"]).ok();
    let receipt = alice.path("echo.receipt");
    verify_receipt(&alice, &receipt, &town.trust()).ok();

    // Every byte of the receipt counts: of the signature, of what it says, of the document that vouches for it.
    let good = std::fs::read(&receipt).unwrap();
    let bad_path = alice.path("bad.receipt");
    for at in (0..good.len()).step_by(good.len() / 97) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&bad_path, &bad).unwrap();
        let refused = verify_receipt(&alice, &bad_path, &town.trust());
        assert!(refused.code != 0, "byte {at} of {} does not count: {}", good.len(), refused.out);
    }
    for cut in [0, 1, good.len() / 2, good.len() - 1] {
        std::fs::write(&bad_path, &good[..cut]).unwrap();
        assert!(verify_receipt(&alice, &bad_path, &town.trust()).code != 0, "cut at {cut}");
    }

    // Another image's reference values.
    let place = town.appliance.enclave_place();
    let text = std::fs::read_to_string(place.reference_values_file()).unwrap();
    let mut values: Value = serde_json::from_str(&text).unwrap();
    values["releases"][0]["pcrs"]["0"] = json!("ab".repeat(48));
    let other = write(&alice, "other.json", &values.to_string());
    alice
        .r3e(&["enclave", "attest", "--reference-values", &other, "--json"])
        .exits(1)
        .fails_with("pcr_mismatch");
    let mut trust = town.trust();
    trust[1] = other;
    let refused = verify_receipt(&alice, &receipt, &trust).exits(1).json();
    assert_eq!((&refused["accepted"], &refused["reason"]), (&json!(false), &json!("pcr_mismatch")));

    // Another configuration than the one that was agreed on, if only by a blank.
    let measured = std::fs::read_to_string(town.appliance.folder().join("configuration.toml")).unwrap();
    for (text, code) in [(measured.clone(), 0), (format!("{measured} "), 1)] {
        let pinned = write(&alice, "pinned.toml", &text);
        let done = alice.r3e(&["enclave", "attest", "--pin-configuration", &pinned, "--json"]).exits(code);
        if code == 1 {
            done.fails_with("other_configuration");
        }
    }

    // The test root must be named; and without reference values nothing is accepted.
    let values = argument(&place.reference_values_file()).to_owned();
    let refused = alice.verify(&["receipt", argument(&receipt), "--reference-values", &values, "--json"]);
    assert_eq!(refused.exits(1).json()["reason"], "untrusted_root");
    let root = argument(&place.test_root_file()).to_owned();
    let refused = alice.verify(&["receipt", argument(&receipt), "--test-root", &root, "--json"]);
    assert!(refused.code != 0, "{}", refused.out);
    assert_eq!(refused.json()["reason"], "no_policy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_what_it_was_granted_and_no_more() {
    let town = Town::new().await;
    let (alice, _) = town.admit("alice");
    set_secret_for(&alice, "GRANTED", "seen", "probe");
    set_secret_for(&alice, "WITHHELD", "hidden", "probe");
    let source = write(&alice, "probe.js", PROBE);
    let probe = |host: &str| {
        let event = json!({ "host": host }).to_string();
        let done = alice.r3e(&["functions", "invoke", "probe", "--input", &event]).ok();
        serde_json::from_str::<Value>(&done.out).unwrap()
    };

    alice
        .r3e(&[
            "functions",
            "deploy",
            &source,
            "--name",
            "probe",
            "--secret",
            "GRANTED",
            "--net",
            "venue.example",
        ])
        .ok();
    let refused = json!({ "refused": "denied" });
    // The venue knows this function no better than any other: 401 is its answer, and the proof of a connection.
    assert_eq!(probe("venue.example"), json!({ "granted": "seen", "withheld": refused, "fetched": 401 }));
    assert_eq!(probe("elsewhere.example")["fetched"], refused);
    assert_eq!(probe("venue.example:8443")["fetched"], refused);
    assert_eq!(town.venue.seen().len(), 1);

    alice.r3e(&["functions", "deploy", &source, "--name", "probe"]).ok();
    assert_eq!(
        probe("venue.example"),
        json!({ "granted": refused, "withheld": refused, "fetched": refused })
    );
    assert_eq!(town.venue.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_their_own_rights() {
    let town = Town::new().await;
    let (alice, alice_id) = town.admit("alice");
    let (bob, _) = town.admit("bob");
    let source = write(&alice, "echo.js", "export default (event) => event;");
    alice.r3e(&["functions", "deploy", &source, "--name", "echo"]).ok();
    set_secret(&alice, "TOKEN", "alice's");

    // Bob sees nothing of Alice's, and what is his under the same name is another object.
    assert_eq!(bob.r3e(&["functions", "list", "--json"]).ok().json(), json!([]));
    assert_eq!(bob.r3e(&["secrets", "list", "--json"]).ok().json(), json!([]));
    for command in [&["show", "echo"][..], &["invoke", "echo"], &["logs", "echo"], &["delete", "echo"]] {
        let command = [&["functions"][..], command, &["--json"]].concat();
        bob.r3e(&command).fails_with("not_found");
    }
    bob.r3e(&["secrets", "delete", "TOKEN", "--json"]).fails_with("not_found");
    set_secret(&bob, "TOKEN", "bob's");
    bob.r3e(&["secrets", "delete", "TOKEN"]).ok();
    assert_eq!(alice.r3e(&["secrets", "list", "--json"]).ok().json()[0]["value_bytes"], 7);

    // The operator is no tenant, with either kind of command; a tenant is no operator.
    let operator_key = town.operator.operator_key_file();
    let as_operator = ["functions", "list", "--json", "--key-file", argument(&operator_key)];
    town.operator.r3e(&as_operator).fails_with("unauthenticated");
    let tenant_key = alice.path(".config/r3e/tenant.pem");
    alice
        .r3e(&["tenants", "list", "--json", "--operator-key-file", argument(&tenant_key)])
        .fails_with("unauthenticated");
    // Nor may anyone come in whom the operator has not admitted.
    let eve = Home::new(&town.appliance, "eve");
    eve.r3e(&["tenants", "keygen"]).ok();
    eve.r3e(&["functions", "list", "--json"]).fails_with("unauthenticated");

    // API keys: their scopes, and their end.
    let minted = alice.r3e(&["keys", "create", "backend", "--scope", "invoke", "--json"]).ok().json();
    let (key, key_id) = (minted["secret"].as_str().unwrap(), minted["id"].as_str().unwrap());
    let backend = Home::new(&town.appliance, "backend");
    let with_key = |command: &[&str]| {
        backend.r3e_with_variables(&[command, &["--json"]].concat(), &[("R3E_API_KEY", key)])
    };
    with_key(&["functions", "invoke", "echo", "--input", "1"]).ok();
    with_key(&["functions", "list"]).fails_with("forbidden");
    with_key(&["secrets", "list"]).fails_with("forbidden");
    let keys = alice.r3e(&["keys", "list", "--json"]).ok().json();
    assert_eq!(keys[0]["id"], key_id);
    assert!(!keys.to_string().contains(key.rsplit('_').next().unwrap()), "a listing shows a secret");
    assert_eq!(bob.r3e(&["keys", "list", "--json"]).ok().json(), json!([]));
    bob.r3e(&["keys", "revoke", key_id, "--json"]).fails_with("not_found");
    alice.r3e(&["keys", "revoke", key_id]).ok();
    with_key(&["functions", "invoke", "echo", "--input", "1"]).fails_with("unauthenticated");

    // Suspension acts at once, on keys and sessions alike, and takes nothing away.
    let minted = alice.r3e(&["keys", "create", "backend", "--scope", "invoke", "--json"]).ok().json();
    let key = minted["secret"].as_str().unwrap();
    let with_key = |command: &[&str]| {
        backend.r3e_with_variables(&[command, &["--json"]].concat(), &[("R3E_API_KEY", key)])
    };
    with_key(&["functions", "invoke", "echo", "--input", "1"]).ok();
    town.operator.r3e(&["tenants", "suspend", &alice_id]).ok();
    with_key(&["functions", "invoke", "echo", "--input", "1"]).fails_with("forbidden");
    alice.r3e(&["functions", "list", "--json"]).fails_with("forbidden");
    let tenants = town.operator.r3e(&["tenants", "list", "--json"]).ok().json();
    let state = |name: &str| {
        let tenant = tenants.as_array().unwrap().iter().find(|tenant| tenant["name"] == name);
        tenant.unwrap()["state"].clone()
    };
    assert_eq!((state("alice"), state("bob")), (json!("suspended"), json!("active")));
    bob.r3e(&["functions", "list"]).ok();
    town.operator.r3e(&["tenants", "resume", &alice_id]).ok();
    with_key(&["functions", "invoke", "echo", "--input", "1"]).ok();
}
