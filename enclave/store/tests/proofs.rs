//! Proofs of single records: true ones convince, anything else does not.

mod keeper;

use std::{collections::BTreeMap, fmt::Write as _};

use keeper::{Keeper, open, space};
use proptest::prelude::*;
use r3e_store::{EMPTY_ROOT, Proof, ProofError, Trie, limits};
use sha2::{Digest, Sha256};

type Name = [u8; 32];

/// Names that share long prefixes, or have nothing in common.
fn names() -> impl Strategy<Value = Name> {
    prop_oneof![
        any::<Name>(),
        (0u8..6).prop_map(|last| {
            let mut name = [0xaa; 32];
            name[31] = last;
            name
        }),
        (0u8..16).prop_map(|first| [first << 4; 32]),
    ]
}

fn trie(map: &BTreeMap<Name, [u8; 32]>) -> Trie {
    Trie::of(map.iter().map(|(name, digest)| (*name, *digest)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_name_is_proved_to_stand_or_not(
        map in prop::collection::btree_map(names(), any::<[u8; 32]>(), 0..40),
        others in prop::collection::vec(names(), 0..10),
    ) {
        let mut trie = trie(&map);
        let root = trie.root();
        for name in map.keys().chain(&others) {
            let proof = trie.prove(name);
            prop_assert_eq!(proof.verify(&root, name).unwrap(), map.get(name).copied());
            let encoded = proof.encode();
            prop_assert!(encoded.len() <= limits::MAX_PROOF_BYTES);
            prop_assert_eq!(Proof::decode(&encoded).unwrap(), proof);
        }
    }

    /// A proof for one name, state or digest proves nothing of another.
    #[test]
    fn no_proof_convinces_of_what_is_not(
        map in prop::collection::btree_map(names(), any::<[u8; 32]>(), 1..30),
        asked in names(),
        change in any::<(prop::sample::Index, u8)>(),
    ) {
        let mut trie = trie(&map);
        let root = trie.root();
        for name in map.keys().copied().chain([asked]).collect::<Vec<_>>() {
            let proof = trie.prove(&name);
            for other in map.keys().filter(|other| **other != name) {
                if let Ok(found) = proof.verify(&root, other) {
                    prop_assert_eq!(found, map.get(other).copied());
                }
            }
            // One bit of the encoding: it is another proof, which leads nowhere, or none at all.
            let mut flipped = proof.encode();
            let at = change.0.index(flipped.len());
            flipped[at] ^= 1 << (change.1 % 8);
            if let Ok(other) = Proof::decode(&flipped) {
                prop_assert!(other.verify(&root, &name).is_err());
            }
            let another = trie.get(&name).map_or([7; 32], |digest| digest.map(|byte| !byte));
            let mut changed = map.clone();
            changed.insert(name, another);
            let other_root = self::trie(&changed).root();
            prop_assert!(matches!(proof.verify(&other_root, &name), Err(ProofError::OtherRoot)));
        }
    }

    #[test]
    fn only_its_own_encoding_is_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(proof) = Proof::decode(&bytes) {
            prop_assert_eq!(proof.encode(), bytes);
        }
    }
}

/// Made by an independent program from the definition of the map: three names, whose first bits are 00, 01 and 1.
#[test]
fn vectors() {
    let digest = |n: u8| -> [u8; 32] { Sha256::digest([n]).into() };
    let map = BTreeMap::from([([0x00; 32], digest(1)), ([0x40; 32], digest(2)), ([0x80; 32], digest(3))]);
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    let mut trie = trie(&map);
    assert_eq!(hex(&trie.root()), ROOT);
    for (name, encoded) in [([0x40; 32], STANDS), ([0x60; 32], ANOTHER_STANDS)] {
        assert_eq!(hex(&trie.prove(&name).encode()), encoded);
    }
    assert_eq!(hex(&Trie::default().prove(&[1; 32]).encode()), "828080");
    assert_eq!(Trie::default().prove(&[1; 32]).verify(&EMPTY_ROOT, &[1; 32]).unwrap(), None);
}

const ROOT: &str = "a73cde29064fbb3fbddb8b7b2c62e09e491dcfddbc0ce0c3b1e586d23b8ac0e1";
const STANDS: &str = "828258209627771230ed27648d71b5dacc959c886dbb073922c39e6575f29f0af70dc6b25820a7ad03785efd2e2b3bd338680d76c7fbf5ba0858d82e807bc43e4f2cefc89b8382582040404040404040404040404040404040404040404040404040404040404040405820dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986";
const ANOTHER_STANDS: &str = "828258209627771230ed27648d71b5dacc959c886dbb073922c39e6575f29f0af70dc6b25820a7ad03785efd2e2b3bd338680d76c7fbf5ba0858d82e807bc43e4f2cefc89b8382582040404040404040404040404040404040404040404040404040404040404040405820dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986";

#[test]
fn what_is_no_proof_is_refused() {
    let long = |siblings: usize| {
        let mut encoded = vec![0x82, 0x99];
        encoded.extend_from_slice(&u16::try_from(siblings).unwrap().to_be_bytes());
        for _ in 0..siblings {
            encoded.extend_from_slice(&[0x58, 0x20]);
            encoded.extend_from_slice(&[1; 32]);
        }
        encoded.push(0x80);
        encoded
    };
    assert!(Proof::decode(&long(256)).unwrap().verify(&[0; 32], &[0; 32]).is_err());
    assert!(matches!(Proof::decode(&long(257)), Err(ProofError::Rule { .. } | ProofError::Malformed(_))));
    for bytes in
        [&b""[..], b"\x80", b"\x82\x80", b"\x82\x80\x80\x00", b"\x83\x80\x80\x80", b"\x82\x81\x40\x80"]
    {
        assert!(Proof::decode(bytes).is_err(), "{bytes:02x?}");
    }
    let one = [&[0x82, 0x80, 0x81, 0x58, 0x20][..], &[1; 32]].concat();
    assert!(matches!(Proof::decode(&one), Err(ProofError::Rule { .. })));
}

#[tokio::test]
async fn a_store_proves_what_it_holds_and_what_it_does_not() {
    let keeper = Keeper::new();
    let store = open(&keeper).await.unwrap();
    for index in 0..50 {
        store.put(&space(), &format!("k{index}"), b"v".as_slice()).await.unwrap();
    }
    let proven = store.prove(&space(), "k7").await.unwrap();
    assert_eq!((proven.root, proven.sequence), (store.summary().root, store.sequence()));
    let digest = proven.proof.verify(&proven.root, &proven.name).unwrap().unwrap();
    // What is proved is the blob that the parent keeps.
    let blob = keeper.disk().records[&proven.name].clone();
    assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(&blob)));

    let missing = store.prove(&space(), "never").await.unwrap();
    assert_eq!(missing.proof.verify(&missing.root, &missing.name).unwrap(), None);
    store.delete(&space(), "k7").await.unwrap();
    let gone = store.prove(&space(), "k7").await.unwrap();
    assert_eq!(gone.proof.verify(&gone.root, &gone.name).unwrap(), None);
    assert!(proven.proof.verify(&gone.root, &gone.name).is_err(), "an old proof against a new root");
    assert!(store.prove(&space(), "").await.is_err());
}
