//! Reports: one form, and no digest or proof that serves for anything else. What other implementations say is in `tests/report.rs`.

use proptest::prelude::*;

use super::*;
use crate::api::wallets::EvmAddress;
use crate::limits::MAX_BATCH_REPORTS;

fn report(sequence: u64) -> Report {
    Report {
        feed_id: FeedId::named("BTC/USD").unwrap(),
        answer: 6_400_012_345_678,
        confidence: 1_234,
        decimals: 8,
        observed_at_s: 1_700_000_000,
        valid_until_s: 1_700_003_600,
        sequence,
        sources: 7,
        config_digest: [7; 32],
    }
}

fn evm(chain_id: u64, last: u8) -> EvmTarget {
    EvmTarget { chain_id, contract: EvmAddress([last; 20]) }
}

#[test]
fn names_of_feeds() {
    let id = FeedId::named("BTC/USD").unwrap();
    assert_eq!((&id.0[..8], id.name()), (b"BTC/USD\0".as_slice(), Some("BTC/USD")));
    assert_eq!(FeedId::named(&"x".repeat(32)).and_then(|id| id.name().map(str::len)), Some(32));
    for name in ["", "BTC\0USD", "BTC/USD\n", "BTC/ÜSD", &"x".repeat(33)] {
        assert_eq!(FeedId::named(name), None, "{name:?}");
    }
    assert_eq!(FeedId([0; 32]).name(), None);
    assert_eq!(FeedId(*b"BTC/USD\0more\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0").name(), None);
}

#[test]
fn no_field_is_beyond_what_every_chain_holds() {
    let broken: [fn(&mut Report); 7] = [
        |report| report.confidence = 1 << 127,
        |report| report.decimals = 19,
        |report| report.valid_until_s = 1 << 63,
        |report| report.observed_at_s = report.valid_until_s + 1,
        |report| report.sequence = 0,
        |report| report.sequence = 1 << 63,
        |report| report.sources = 0,
    ];
    for (number, change) in broken.into_iter().enumerate() {
        let mut report = report(1);
        change(&mut report);
        assert!(report.check().is_err(), "{number}");
        assert!(Report::decode(&report.encode()).is_err(), "{number}");
    }
    let bytes = report(1).encode();
    assert_eq!(Report::decode(&bytes[1..]), Err(ReportError::Length(REPORT_BYTES - 1)));
    assert_eq!(Report::decode(&[&bytes[..], &[0]].concat()), Err(ReportError::Length(REPORT_BYTES + 1)));
    assert_eq!(Report::decode(&[]), Err(ReportError::Length(0)));
}

#[test]
fn a_signature_holds_for_one_contract_on_one_network() {
    let (one, two) = (report(1), report(2));
    let tree = Tree::new(&[one]).unwrap();
    let neo = |magic, last| NeoTarget { magic, contract: [last; 20] };
    let mut digests = vec![
        neo(1, 1).report_digest(&one),
        neo(1, 1).report_digest(&two),
        neo(2, 1).report_digest(&one),
        neo(1, 2).report_digest(&one),
        neo(1, 1).batch_digest(&tree.batch()),
    ];
    for target in [evm(1, 1), evm(2, 1), evm(1, 2)] {
        digests.push(target.report_digest(&one).unwrap());
        digests.push(target.report_digest(&two).unwrap());
        digests.push(target.batch_digest(&tree.batch()).unwrap());
    }
    let different: std::collections::HashSet<_> = digests.iter().collect();
    assert_eq!(different.len(), digests.len());
    assert!(evm(0, 1).report_digest(&one).is_err(), "no chain");
    assert!(evm(0, 1).batch_digest(&tree.batch()).is_err(), "no chain");
    assert_eq!(neo(1, 1).report(&one).len(), NeoTarget::REPORT_BYTES);
}

#[test]
fn a_proof_is_of_one_report_at_one_place_of_one_batch() {
    for size in 1..=20_u32 {
        let reports: Vec<_> = (1..=u64::from(size)).map(report).collect();
        let tree = Tree::new(&reports).unwrap();
        let batch = tree.batch();
        assert_eq!(tree.proof(size), None);
        for (index, one) in (0..).zip(&reports) {
            let proof = tree.proof(index).unwrap();
            assert_eq!(batch.verify(one, &proof), Ok(()), "{index} of {size}");
            let mut longer = proof.clone();
            longer.path.push(Hash32([0; 32]));
            assert_eq!(batch.verify(one, &longer), Err(BatchError::Path));
            if !proof.path.is_empty() {
                let shorter = Proof { path: proof.path[1..].to_vec(), ..proof.clone() };
                assert_eq!(batch.verify(one, &shorter), Err(BatchError::Path));
                let mut other = proof.clone();
                other.path[0].0[5] ^= 1;
                assert_eq!(batch.verify(one, &other), Err(BatchError::Root));
            }
            for place in (0..size).filter(|place| *place != index) {
                let moved = Proof { index: place, ..proof.clone() };
                assert!(batch.verify(one, &moved).is_err(), "{index} at {place} of {size}");
                assert!(batch.verify(&reports[usize::try_from(place).unwrap()], &proof).is_err());
            }
            let outside = Proof { index: size, ..proof.clone() };
            assert_eq!(batch.verify(one, &outside), Err(BatchError::Index));
            let of_another = Proof { size: size + 1, ..proof.clone() };
            assert_eq!(batch.verify(one, &of_another), Err(BatchError::Size));
        }
    }
    assert_eq!(Tree::new(&[]).err(), Some(BatchError::Size));
    let many = vec![report(1); usize::try_from(MAX_BATCH_REPORTS).unwrap() + 1];
    assert_eq!(Tree::new(&many).err(), Some(BatchError::Size));
    let tree = Tree::new(&many[1..]).unwrap();
    assert_eq!(tree.proof(7).map(|proof| proof.path.len()), Some(10));
}

#[test]
fn json() {
    let text = serde_json::to_value(report(3)).unwrap();
    assert_eq!(text["answer"], "6400012345678");
    assert_eq!(text["feed_id"], format!("0x{}{}", hex::encode("BTC/USD"), "00".repeat(25)));
    assert_eq!(serde_json::from_value::<Report>(text.clone()).unwrap(), report(3));
    for (field, wrong) in
        [("answer", "007"), ("answer", "+7"), ("answer", "7.0"), ("confidence", "-1"), ("feed_id", "BTC/USD")]
    {
        let mut changed = text.clone();
        changed[field] = wrong.into();
        assert!(serde_json::from_value::<Report>(changed).is_err(), "{field} {wrong}");
    }
    let mut more = text;
    more["signer"] = 1.into();
    assert!(serde_json::from_value::<Report>(more).is_err());
}

proptest! {
    #[test]
    fn one_form(
        (name, digest, answer) in any::<([u8; 32], [u8; 32], i128)>(),
        confidence in 0..1_u128 << 127,
        (decimals, sources) in (0..=18_u8, 1..=255_u8),
        (observed, valid, sequence) in (0..1_u64 << 62, 0..1_u64 << 62, 1..1_u64 << 63),
        flip in any::<prop::sample::Index>(),
    ) {
        let one = Report {
            feed_id: FeedId(name), answer, confidence, decimals, observed_at_s: observed, valid_until_s: observed + valid, sequence,
            sources, config_digest: digest,
        };
        let bytes = one.encode();
        prop_assert_eq!(Report::decode(&bytes), Ok(one));
        prop_assert_eq!(serde_json::from_str::<Report>(&serde_json::to_string(&one).unwrap()).unwrap(), one);
        let mut changed = bytes;
        let at = flip.index(8 * REPORT_BYTES);
        changed[at / 8] ^= 1 << (at % 8);
        if let Ok(other) = Report::decode(&changed) {
            prop_assert_ne!(other, one);
            prop_assert_ne!(other.struct_hash(), one.struct_hash());
        }
    }
}

#[test]
fn numbers_are_written_with_all_of_their_places() {
    let text = |answer, decimals| Report { answer, decimals, ..report(1) }.answer_text();
    assert_eq!(text(5_012_000_000, 8), "50.12000000");
    assert_eq!((text(-7, 2), text(0, 3), text(12, 0)), ("-0.07".into(), "0.000".into(), "12".into()));
    assert_eq!(text(i128::MIN, 18), "-170141183460469231731.687303715884105728");
    assert_eq!(report(1).confidence_text(), "0.00001234");
}
