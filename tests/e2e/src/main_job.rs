//! The main job through the tools a user has, whatever kind of enclave the appliance has: verify the enclave, deploy a
//! function with a secret, invoke it, check the receipt offline.

use std::path::Path;

use serde_json::{Value, json};

use crate::appliance::{Appliance, Options};
use crate::command::{Done, Home, argument};
use crate::enclave::{EnclavePlace, Place};
use crate::venue::{PRICES, Venue};

/// The key that the venue asks for.
const API_KEY: &str = "venue-key-7f3a";
const VENUE: &str = "venue.example";
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/price-alert/price-alert.js");

/// An appliance with a venue behind it, and the operator's home.
pub struct Town<P: Place = EnclavePlace> {
    /// The venue, which goes by `venue.example`.
    pub venue: Venue,
    /// The appliance.
    pub appliance: Appliance<P>,
    /// The operator's home, with the operator's key in it.
    pub operator: Home,
}

impl Town {
    /// With `enclave-under-test`.
    pub async fn new() -> Self {
        Self::with(Options::default(), EnclavePlace::new).await
    }
}

impl<P: Place> Town<P> {
    /// With an enclave at a place in the appliance's folder. To the options comes the way to the venue.
    pub async fn with(options: Options, place: impl FnOnce(&Path) -> P) -> Self {
        let venue = Venue::local(VENUE, API_KEY).await;
        let options = Options {
            extra_roots: venue.authority().to_owned(),
            resolve: vec![venue.resolve_rule()],
            ..options
        };
        let appliance = Appliance::start_at(options, place).await;
        let operator = Home::new(&appliance, "operator");
        appliance.operator_key().write_new(&operator.operator_key_file()).expect("the operator's key file");
        Self { venue, appliance, operator }
    }

    /// A tenant with a key that it made and the operator admitted; and its id.
    pub fn admit(&self, name: &str) -> (Home, String) {
        let home = Home::new(&self.appliance, name);
        let made = home.r3e(&["tenants", "keygen", "--json"]).ok().json();
        let key = text(&made["public_key"]);
        let admitted = self.operator.r3e(&["tenants", "admit", key, "--name", name, "--json"]).ok().json();
        assert_eq!(admitted["id"], made["tenant"]);
        assert_eq!(admitted["state"], "active");
        (home, text(&made["tenant"]).to_owned())
    }

    /// Arguments by which `r3e-verify` accepts this appliance.
    pub fn trust(&self) -> [String; 4] {
        let trust = self.appliance.trust();
        [
            "--reference-values".to_owned(),
            argument(&trust.reference_values_file).to_owned(),
            "--test-root".to_owned(),
            argument(&trust.test_root_file).to_owned(),
        ]
    }

    /// A tenant verifies the enclave, leaves a secret and a function there, has it run, and convinces a stranger of the
    /// result; and takes all of it away again. To be done once in a town.
    ///
    /// # Panics
    /// Any of it went otherwise.
    pub fn do_main_job(&self) {
        let (alice, id) = self.admit("alice");

        let attested = alice.r3e(&["enclave", "attest", "--json"]).ok().json();
        assert_eq!(attested["accepted"], true);
        assert_eq!(attested["root"], "unsafe_test");
        assert_eq!(attested["debug"], false);
        let login = alice.r3e(&["login", "--json"]).ok().json();
        assert_eq!(login["tenant"], id.as_str());

        set_secret_for(&alice, "VENUE_API_KEY", API_KEY, "price-alert");
        let deployed = alice
            .r3e(&[
                "functions",
                "deploy",
                EXAMPLE,
                "--name",
                "price-alert",
                "--secret",
                "VENUE_API_KEY",
                "--net",
                VENUE,
                "--json",
            ])
            .ok()
            .json();
        assert_eq!(deployed["permissions"], json!({ "secrets": ["VENUE_API_KEY"], "net": [VENUE] }));

        let event = r#"{"pair":"NEO-USD","above":"12.00"}"#;
        let invoke =
            ["functions", "invoke", "price-alert", "--input", event, "--receipt", "one.receipt", "--json"];
        let first = alice.r3e(&invoke).ok().json();
        let result = parsed(text(&first["output"]));
        let expected =
            json!({ "pair": "NEO-USD", "price": PRICES[0], "above": "12.00", "alert": null, "calls": 1 });
        assert_eq!(result, expected);
        assert_eq!(first["receipt"]["verified"], true);
        let second = alice.r3e(&["functions", "invoke", "price-alert", "--input", event]).ok();
        let result = parsed(&second.out);
        assert_eq!((&result["alert"], &result["calls"]), (&json!("crossed_up"), &json!(2)));
        let seen = self.venue.seen();
        assert!(seen.iter().all(|seen| seen.api_key.as_deref() == Some(API_KEY)), "{seen:?}");

        // A stranger, offline, with the receipt and what the builder published.
        let stranger = Home::new(&self.appliance, "stranger");
        let receipt = alice.path("one.receipt");
        let verified = verify_receipt(&stranger, &receipt, &self.trust()).ok().json();
        assert_eq!(verified["accepted"], true, "{verified:#}");
        let shown = verified.to_string();
        for said in [text(&deployed["version"]), id.as_str(), "price-alert"] {
            assert!(shown.contains(said), "{said} in {verified:#}");
        }

        let logs = alice.r3e(&["functions", "logs", "price-alert", "--json"]).ok().json();
        assert_eq!(logs.as_array().map(Vec::len), Some(2));
        assert_eq!(logs[0]["lines"][0]["text"], "NEO-USD at 11.9764, under 12.00");
        let listed = alice.r3e(&["functions", "list", "--json"]).ok().json();
        assert_eq!(listed[0]["name"], "price-alert");
        assert_eq!(listed[0]["version"], deployed["version"]);
        assert_eq!(alice.r3e(&["functions", "show", "price-alert", "--json"]).ok().json(), listed[0]);
        alice.r3e(&["functions", "delete", "price-alert"]).ok();
        assert_eq!(alice.r3e(&["functions", "list", "--json"]).ok().json(), json!([]));
        alice.r3e(&["functions", "show", "price-alert", "--json"]).fails_with("not_found");
        alice.r3e(&["secrets", "delete", "VENUE_API_KEY"]).ok();
        assert_eq!(alice.r3e(&["secrets", "list", "--json"]).ok().json(), json!([]));
    }
}

/// Has `r3e-verify` judge a receipt.
pub fn verify_receipt(home: &Home, receipt: &Path, trust: &[String]) -> Done {
    let mut arguments = vec!["receipt", argument(receipt), "--json"];
    arguments.extend(trust.iter().map(String::as_str));
    home.verify(&arguments)
}

/// Sets a tenant's secret that one function may read.
pub fn set_secret_for(home: &Home, name: &str, value: &str, function: &str) {
    home.r3e_with_input(&["secrets", "set", name, "--for", function], value.as_bytes()).ok();
}

/// Sets a tenant's secret.
pub fn set_secret(home: &Home, name: &str, value: &str) {
    home.r3e_with_input(&["secrets", "set", name], value.as_bytes()).ok();
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
