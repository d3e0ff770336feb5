//! The keys for random numbers: each tenant has its own, what is drawn for one thing is one number, and its proof holds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

use r3e_keys::{KeyError, OracleKeys, RandomKey, RootSecret};
use r3e_proto::api::identity::TenantId;
use r3e_proto::random::{MAX_NUMBER, MAX_SEED_BYTES, Occasion};
use r3e_vrf::{Proof, PublicKey};
use zeroize::Zeroizing;

fn root(byte: u8) -> RootSecret {
    RootSecret::from_recovered(&Zeroizing::new([byte; 32]))
}

fn key(root_byte: u8, tenant: u8) -> RandomKey {
    RandomKey::of(&root(root_byte), TenantId([tenant; 16])).unwrap()
}

fn seed(text: &str) -> Occasion {
    Occasion::Seed { seed: text.to_owned() }
}

#[test]
fn each_tenant_of_each_appliance_has_a_key_of_its_own() {
    let all = [key(1, 1), key(1, 2), key(2, 1)].map(|key| key.public_key());
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    assert_eq!(key(1, 1).public_key(), all[0], "a restart changes nothing");
    let oracle = OracleKeys::of(&root(1), TenantId([1; 16])).unwrap();
    assert_ne!(oracle.neo_public_key(), all[0], "it signs no report");
    let printed = format!("{:?}", key(1, 1));
    assert!(!printed.contains("secret:") && !printed.contains("Scalar"), "{printed}");
}

#[test]
fn a_number_is_drawn_once_and_proved() {
    let drawn = key(1, 1).draw(&seed("block 7"), 1, 100).unwrap();
    assert_eq!(key(1, 1).draw(&seed("block 7"), 1, 100).unwrap(), drawn);
    assert_ne!(key(1, 1).draw(&seed("block 8"), 1, 100).unwrap().output, drawn.output);
    assert_ne!(key(1, 2).draw(&seed("block 7"), 1, 100).unwrap().output, drawn.output);
    assert!((1..=100).contains(&drawn.value));

    // As somebody else verifies it.
    let public = PublicKey::from_bytes(drawn.key.0[..].try_into().unwrap()).unwrap();
    let proof = Proof(drawn.proof.0[..].try_into().unwrap());
    let output = public.verify(&drawn.message.0, &proof).unwrap();
    assert_eq!((output.0, output.in_range(1, 100)), (drawn.output.0, Some(drawn.value)));
    assert_eq!(Occasion::decode(&drawn.message.0), Ok(seed("block 7")));
}

#[test]
fn what_breaks_a_rule_is_refused() {
    let draw = |occasion: &Occasion, min, max| key(1, 1).draw(occasion, min, max).unwrap_err();
    let whole = key(1, 1).draw(&seed("s"), 0, MAX_NUMBER).unwrap();
    assert!(whole.value <= MAX_NUMBER);
    assert!(matches!(draw(&seed("s"), 0, MAX_NUMBER + 1), KeyError::Range(_)));
    assert!(matches!(draw(&seed("s"), 2, 1), KeyError::Range(_)));
    assert!(matches!(draw(&seed(""), 1, 2), KeyError::Occasion(_)));
    assert!(matches!(draw(&seed(&"s".repeat(MAX_SEED_BYTES + 1)), 1, 2), KeyError::Occasion(_)));
    let unnamed = Occasion::Invocation { function: "no name".to_owned(), invocation: [1; 16], index: 0 };
    assert!(matches!(draw(&unnamed, 1, 2), KeyError::Occasion(_)));
}
