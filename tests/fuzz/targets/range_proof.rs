//! Range proofs: as JSON and as bytes, and what a prover that was taken over may answer. What nobody proved is not taken for proved.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::zk::{ProveRanges, RangeProof};
use r3e_proto::proving::{Answer, Job};
use r3e_range_proof::{MAX_PROOF_BYTES, MIN_PROOF_BYTES, Proof, prove_asked, verify_document};

/// A proof that holds, the first of the vectors.
const VECTOR: &str = include_str!("../../../proto/vectors/range-proof.json");

fuzz_target!(|data: &[u8]| {
    let vectors: serde_json::Value = serde_json::from_str(VECTOR).unwrap_or_default();
    let Ok(known) = serde_json::from_value::<RangeProof>(vectors["proofs"][0]["proof"].clone()) else {
        unreachable!()
    };

    if let Ok(proof) = Proof::from_bytes(data) {
        assert!((MIN_PROOF_BYTES..=MAX_PROOF_BYTES).contains(&data.len()));
        assert_eq!(proof.as_bytes(), data, "one proof, one form");
        let mut changed = known.clone();
        changed.proof.0 = data.to_vec();
        assert!(verify_document(&changed).is_err() || changed == known, "a second proof");
    }
    if let Ok(document) = serde_json::from_slice::<RangeProof>(data) {
        let text = serde_json::to_vec(&document).unwrap_or_default();
        assert_eq!(serde_json::from_slice::<RangeProof>(&text).ok().as_ref(), Some(&document));
        let is_another = document.claims != known.claims
            || document.owner != known.owner
            || document.context != known.context;
        if is_another && document.proof == known.proof {
            assert!(verify_document(&document).is_err(), "a proof of something else");
        } else {
            let _verdict = verify_document(&document);
        }
    }
    if let Ok(asked) = serde_json::from_slice::<ProveRanges>(data)
        && asked.numbers.len() <= 2
        && let Ok(made) = prove_asked("owner", &asked)
    {
        assert!(verify_document(&made.proof).is_ok());
    }
    let _job = serde_json::from_slice::<Job>(data);
    let _answer = serde_json::from_slice::<Answer>(data);
});
