//! Which appliance it is: the tool remembers the one at an address, and takes no other there until its user names it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::os::unix::fs::PermissionsExt as _;

use r3e_e2e::cloud::Cloud;
use r3e_e2e::command::{Done, Home};
use r3e_e2e::{Appliance, Options, Tenant};
use serde_json::Value;

fn attest(home: &Home, more: &[&str]) -> Done {
    home.r3e(&[&["enclave", "attest", "--json"], more].concat())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The parent loses its data on purpose: the same image, under the same configuration, begins anew.
async fn begin_anew(appliance: &mut Appliance) {
    appliance.stop().await;
    appliance.replace_data();
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appliance_that_began_anew_is_refused_until_it_is_named() {
    let cloud = Cloud::new("alpha").await;
    let mut appliance = cloud.appliance("alpha");
    appliance.start_parent();
    appliance.start_enclave();
    appliance.ready().await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let home = Home::new(&appliance, "alice");
    let known_file = home.path(".config/r3e/known_appliances");

    let first = attest(&home, &[]).ok();
    let old = text(&first.json()["identity"]);
    assert!(first.err.contains(&format!("the appliance {old}")), "{}", first.err);
    assert_eq!(known_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let line = format!("{} {old} {}\n", appliance.address(), text(&first.json()["report_key"]));
    assert!(std::fs::read_to_string(&known_file).unwrap().ends_with(&line));
    // The same one after a restart, and its state is looked at.
    appliance.restart().await;
    home.r3e(&["enclave", "status", "--json"]).ok();
    let shown = home.r3e(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["settings"]["known_appliance"]["value"], old);

    begin_anew(&mut appliance).await;
    // A client of the library that has lived through it refuses, too, before it signs in.
    let refused = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap_err();
    assert_eq!(refused.code(), "other_appliance");
    home.r3e(&["tenants", "keygen"]).ok();
    let before = std::fs::read_to_string(&known_file).unwrap();
    let mut new = String::new();
    for arguments in [&["enclave", "attest"][..], &["login"], &["secrets", "list"], &["enclave", "status"]] {
        let refused = home.r3e(&[arguments, &["--json"]].concat()).exits(1);
        refused.fails_with("other_appliance");
        let (_, named) = refused.err.split_once("--accept-identity ").unwrap();
        new = named[..64].to_owned();
        for word in [&old, &new, "known_appliances"] {
            assert!(refused.err.contains(word), "{word}: {}", refused.err);
        }
    }
    assert_ne!(old, new);
    // What is accepted is what was named, not whatever runs.
    attest(&home, &["--accept-identity", &old]).exits(1).fails_with("other_identity");
    attest(&home, &["--accept-identity", &"0".repeat(64)]).exits(1).fails_with("other_identity");
    attest(&home, &["--accept-identity", &new[2..]]).exits(2).fails_with("usage");
    assert_eq!(std::fs::read_to_string(&known_file).unwrap(), before, "nothing is kept of what was refused");

    assert_eq!(attest(&home, &["--accept-identity", &new]).ok().json()["identity"], new);
    attest(&home, &[]).ok();
    let known = std::fs::read_to_string(&known_file).unwrap();
    assert!(known.contains(&new) && !known.contains(&old), "{known}");

    // A damaged record is no first use.
    std::fs::write(&known_file, "anything\n").unwrap();
    attest(&home, &[]).exits(2).fails_with("known_appliances");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_state_under_the_same_root_has_the_same_identity_and_is_refused_by_its_number() {
    let mut appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let home = Home::new(&appliance, "alice");
    for name in ["A", "B", "C", "D", "E"] {
        let value = zeroize::Zeroizing::new(b"value".to_vec());
        tenant.channel().await.set_secret(name, value).await.unwrap();
    }
    let old = home.r3e(&["enclave", "status", "--json"]).ok().json();
    begin_anew(&mut appliance).await;
    home.r3e(&["enclave", "status", "--json"]).exits(1).fails_with("rolled_back");
    let new = home.r3e(&["enclave", "status", "--json", "--accept-rolled-back"]).ok().json();
    assert_eq!(new["identity"], old["identity"]);
    assert!(new["sequence"].as_u64() < old["sequence"].as_u64(), "{new} {old}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_appliance_is_another_at_each_start_and_nothing_is_remembered_of_it() {
    let mut appliance = Appliance::start(Options { unlock: "ephemeral", ..Options::default() }).await;
    let home = Home::new(&appliance, "alice");
    let first = text(&attest(&home, &[]).ok().json()["identity"]);
    begin_anew(&mut appliance).await;
    assert_ne!(text(&attest(&home, &[]).ok().json()["identity"]), first);
    assert!(!home.path(".config/r3e/known_appliances").exists());
    attest(&home, &["--accept-identity", &first]).exits(1).fails_with("other_identity");
}
