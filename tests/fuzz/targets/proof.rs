//! Proofs of single records of the sealed state. A proof has one encoding, and convinces under one root alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_store::{Proof, Trie, limits::MAX_PROOF_BYTES};

fuzz_target!(|data: &[u8]| {
    // The first bytes say what map the rest is held against.
    let Some((seed, encoded)) = data.split_first_chunk::<4>() else { return };
    let names = seed.map(|byte| [byte; 32]);
    let mut map = Trie::of(names.map(|name| (name, name.map(|byte| !byte))).to_vec());
    let root = map.root();
    for name in names {
        let proof = map.prove(&name);
        assert_eq!(Proof::decode(&proof.encode()).ok().as_ref(), Some(&proof));
        assert_eq!(proof.verify(&root, &name).ok(), Some(map.get(&name)));
    }
    let Ok(proof) = Proof::decode(encoded) else { return };
    assert!(encoded.len() <= MAX_PROOF_BYTES);
    assert_eq!(proof.encode(), encoded, "one proof, one encoding");
    for name in names.into_iter().chain([[0x11; 32]]) {
        if let Ok(found) = proof.verify(&root, &name) {
            assert_eq!(found, map.get(&name), "a proof of what is not so");
        }
        let mut other = root;
        other[31] ^= 1;
        assert!(proof.verify(&other, &name).is_err());
    }
});
