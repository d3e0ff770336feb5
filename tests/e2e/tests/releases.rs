//! `r3e release new` beside appliances that run: what it computes from a configuration is what their enclaves measured.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use r3e_e2e::command::{Done, Home, argument};
use r3e_e2e::member::{Person, tables};
use r3e_e2e::{Appliance, Options};
use serde_json::Value;

struct Desk {
    appliance: Appliance,
    home: Home,
}

impl Desk {
    async fn new(unlock: &'static str, unlock_tables: String) -> Self {
        let appliance = Appliance::start(Options { unlock, unlock_tables, ..Options::default() }).await;
        let home = Home::new(&appliance, "releaser");
        Self { appliance, home }
    }

    /// What the appliance attests; its configuration lies beside.
    fn attested(&self) -> Value {
        let toml = self.home.path("enclave.toml");
        let attest = ["enclave", "attest", "--json", "--configuration", argument(&toml)];
        let done = self.home.r3e(&attest).ok();
        std::fs::write(self.home.path("attested.json"), &done.out).unwrap();
        done.json()
    }

    /// A release of the image to itself, from the configuration that these options name to another.
    fn release(&self, file: &str, from: &[&str]) -> Done {
        let next = self.home.path("next.toml");
        std::fs::write(&next, "[unlock]\nprovider = \"ephemeral\"\n").unwrap();
        let trust = self.appliance.trust();
        let values = argument(&trust.reference_values_file);
        let out = self.home.path(file);
        let new =
            ["release", "new", "1.0.0", "--image", values, "--predecessor", values, "--out", argument(&out)];
        let to = ["--to-configuration", argument(&next)];
        self.home.r3e(&[&new[..], from, &to, &["--json"]].concat())
    }
}

/// What the one change of a release leads away from.
fn registers(release: &Value) -> [&str; 2] {
    let [change] = release["changes"].as_array().unwrap().as_slice() else { panic!("{release}") };
    ["pcr16", "pcr17"].map(|name| change["from"][name].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_computed_of_a_configuration_is_what_the_enclave_measured() {
    let people = ["alice", "bob", "carol"].map(Person::new);
    for (unlock, tables) in [("ephemeral", String::new()), ("quorum", tables(2, &people))] {
        let desk = Desk::new(unlock, tables).await;
        let attested = desk.attested();
        let measured = ["16", "17"].map(|index| attested["pcrs"][index].as_str().unwrap());
        let toml = desk.home.path("enclave.toml");
        let computed = desk.release("computed.cbor", &["--from-configuration", argument(&toml)]).ok().json();
        assert_eq!(registers(&computed), measured, "{unlock}");
        assert_eq!(computed["pcrs"], computed["predecessors"][0], "an image may succeed itself");
        let seen = desk.home.path("attested.json");
        let taken = desk.release("taken.cbor", &["--from-attested", argument(&seen)]).ok().json();
        assert_eq!(taken["approval_digest"], computed["approval_digest"], "{unlock}: one release");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_computed_is_taken_from_an_appliance() {
    let desk = Desk::new("test", String::new()).await;
    let attested = desk.attested();
    let (toml, seen) = (desk.home.path("enclave.toml"), desk.home.path("attested.json"));
    let computed = ["--from-configuration", argument(&toml)];
    desk.release("refused.cbor", &computed).exits(2).fails_with("usage");
    let taken = desk.release("taken.cbor", &["--from-attested", argument(&seen)]).ok().json();
    let measured = ["16", "17"].map(|index| attested["pcrs"][index].as_str().unwrap());
    assert_eq!(registers(&taken), measured);
    let given =
        desk.release("given.cbor", &[&computed[..], &["--from-pcr17", measured[1]]].concat()).ok().json();
    assert_eq!(given["approval_digest"], taken["approval_digest"]);
}
