//! Reports of the oracle, and proofs that they are part of a batch. A report has one form, and a proof holds for one report at one place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::report::{Proof, REPORT_BYTES, Report, Tree};

fuzz_target!(|data: &[u8]| {
    let Some((bytes, rest)) = data.split_at_checked(REPORT_BYTES) else {
        assert!(Report::decode(data).is_err());
        return;
    };
    assert!(rest.is_empty() || Report::decode(data).is_err());
    let Ok(report) = Report::decode(bytes) else { return };
    assert_eq!(report.encode(), bytes, "one report, one form");
    let json = serde_json::to_string(&report).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Report>(&json).ok(), Some(report));

    // Behind it: the size of a batch, a place in it, and the nodes of a path.
    let Some(([size, index], path)) = rest.split_first_chunk() else { return };
    let reports: Vec<_> =
        (1..=u64::from(size % 40) + 1).map(|sequence| Report { sequence, ..report }).collect();
    let Ok(tree) = Tree::new(&reports) else { unreachable!() };
    let batch = tree.batch();
    let path = path.chunks_exact(32).filter_map(|node| node.try_into().ok()).map(Hash32).collect();
    let shown = Proof { index: u32::from(*index), size: batch.size, path };
    for (place, one) in (0..).zip(&reports) {
        let made = tree.proof(place);
        assert!(made.as_ref().is_some_and(|proof| batch.verify(one, proof) == Ok(())));
        assert!(
            batch.verify(one, &shown).is_err() || made == Some(shown.clone()),
            "a proof that nobody made"
        );
    }
});
