//! Which configuration the tool accepts: the one that it was given, else the one that it saw first, and no other without a
//! word of its user's.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use r3e_client::SigningKey;
use r3e_e2e::command::{Done, Home};
use r3e_e2e::{Appliance, Options};
use r3e_proto::channel::binding::configuration_digest;

/// SHA-384 of the configuration that the parent hands out, hex.
fn digest(appliance: &Appliance) -> String {
    let bytes = std::fs::read(appliance.folder().join("configuration.toml")).unwrap();
    hex::encode(configuration_digest(&bytes))
}

fn known_file(home: &Home) -> PathBuf {
    home.path(".config/r3e/known_configurations")
}

fn known(home: &Home) -> String {
    std::fs::read_to_string(known_file(home)).unwrap_or_default()
}

fn attest(home: &Home, more: &[&str]) -> Done {
    home.r3e(&[&["enclave", "attest", "--json"], more].concat())
}

/// Another operator's appliance, of the same image, at the same address: the parent's doing, or the operator's own.
async fn another_operator(appliance: &mut Appliance) {
    appliance.set_operator_key(SigningKey::generate().unwrap());
    appliance.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_configuration_is_remembered_and_another_is_refused_until_it_is_named() {
    let mut appliance = Appliance::start(Options::default()).await;
    let home = Home::new(&appliance, "alice");
    let old = digest(&appliance);

    let first = attest(&home, &[]).ok();
    assert!(first.err.contains(&old) && first.err.contains("first connection"), "{}", first.err);
    let line = format!("{} {old}\n", appliance.address());
    assert!(known(&home).ends_with(&line), "{}", known(&home));
    assert_eq!(known_file(&home).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = attest(&home, &[]).ok();
    assert!(!again.err.contains("first connection"), "{}", again.err);

    let shown = home.r3e(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["settings"]["known_configuration"]["value"], old);

    another_operator(&mut appliance).await;
    let new = digest(&appliance);
    assert_ne!(old, new);
    let before = known(&home);
    // The tenant's key is there to sign in with: it is not used.
    home.r3e(&["tenants", "keygen"]).ok();
    for arguments in [&["enclave", "attest"][..], &["login"], &["secrets", "list"], &["enclave", "status"]] {
        let refused = home.r3e(&[arguments, &["--json"]].concat()).exits(1);
        refused.fails_with("configuration_changed");
        for word in [&old, &new, "--accept-configuration", "known_configurations"] {
            assert!(refused.err.contains(word), "{word}: {}", refused.err);
        }
    }
    // What is accepted is what was named, not whatever runs.
    attest(&home, &["--accept-configuration", &old]).exits(1).fails_with("other_configuration");
    attest(&home, &["--accept-configuration", &"0".repeat(96)]).exits(1).fails_with("other_configuration");
    attest(&home, &["--accept-configuration", &new[2..]]).exits(2).fails_with("usage");
    assert_eq!(known(&home), before, "nothing is remembered of what was refused");

    attest(&home, &["--accept-configuration", &new]).ok();
    attest(&home, &[]).ok();
    assert!(known(&home).contains(&new) && !known(&home).contains(&old), "{}", known(&home));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_pin_or_a_loud_word_leaves_nothing_behind() {
    let mut appliance = Appliance::start(Options::default()).await;
    let home = Home::new(&appliance, "alice");
    let pinned = home.path("pinned.toml");
    std::fs::copy(appliance.folder().join("configuration.toml"), &pinned).unwrap();
    let pinned = pinned.to_str().unwrap();

    attest(&home, &["--pin-configuration", pinned]).ok();
    home.r3e_with_variables(&["enclave", "attest"], &[("R3E_PIN_CONFIGURATION", pinned)]).ok();
    let any = attest(&home, &["--any-configuration"]).ok();
    assert!(any.err.contains("WARNING: accepting any configuration"), "{}", any.err);
    assert!(!known_file(&home).exists());
    attest(&home, &["--any-configuration", "--accept-configuration", &digest(&appliance)]).exits(2);

    another_operator(&mut appliance).await;
    attest(&home, &["--pin-configuration", pinned]).exits(1).fails_with("other_configuration");
    home.r3e_with_variables(&["enclave", "attest", "--json"], &[("R3E_PIN_CONFIGURATION", pinned)])
        .exits(1)
        .fails_with("other_configuration");
    attest(&home, &["--any-configuration"]).ok();
    assert!(!known_file(&home).exists());

    // A damaged record is no first use.
    std::fs::write(known_file(&home), "anything\n").unwrap();
    attest(&home, &[]).exits(2).fails_with("known_configurations");
}
