//! Reports against what other implementations make of them: `vectors/report.json`, by `tests/chain/report-vectors.py`.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_proto::report::{EvmTarget, NeoTarget, Report, Tree};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/report.json")).unwrap()
}

fn evm(vectors: &Value) -> Vec<EvmTarget> {
    let target = |one: &Value| EvmTarget {
        chain_id: one["chain_id"].as_u64().unwrap(),
        contract: one["contract"].as_str().unwrap().parse().unwrap(),
    };
    vectors["evm"].as_array().unwrap().iter().map(target).collect()
}

fn neo(vectors: &Value) -> NeoTarget {
    NeoTarget {
        magic: u32::try_from(vectors["neo"]["magic"].as_u64().unwrap()).unwrap(),
        contract: hex::decode(vectors["neo"]["contract"].as_str().unwrap()).unwrap().try_into().unwrap(),
    }
}

fn reports(vectors: &Value) -> Vec<(Report, &Value)> {
    let one = |one: &'_ Value| serde_json::from_value(one["report"].clone()).unwrap();
    vectors["reports"].as_array().unwrap().iter().map(|vector| (one(vector), &vector["expected"])).collect()
}

#[test]
fn what_is_signed_of_a_report() {
    let vectors = vectors();
    for (report, expected) in reports(&vectors) {
        assert_eq!(hex::encode(report.encode()), expected["canonical"]);
        assert_eq!(Report::decode(&report.encode()), Ok(report));
        assert_eq!(hex::encode(report.struct_hash()), expected["struct_hash"]);
        let digests: Vec<_> =
            evm(&vectors).iter().map(|target| hex::encode(target.report_digest(&report).unwrap())).collect();
        assert_eq!(Value::from(digests), expected["eip712"]);
        assert_eq!(hex::encode(neo(&vectors).report(&report)), expected["neo"]["message"]);
        assert_eq!(hex::encode(neo(&vectors).report_digest(&report)), expected["neo"]["digest"]);
    }
}

#[test]
fn what_is_signed_of_a_batch() {
    let vectors = vectors();
    let reports: Vec<Report> = reports(&vectors).into_iter().map(|(report, _)| report).collect();
    for expected in vectors["batches"].as_array().unwrap() {
        let size = usize::try_from(expected["size"].as_u64().unwrap()).unwrap();
        let members: Vec<Report> = reports.iter().copied().cycle().take(size).collect();
        let tree = Tree::new(&members).unwrap();
        let batch = tree.batch();
        assert_eq!(hex::encode(batch.root), expected["root"]);
        for (index, report) in (0..).zip(&members) {
            assert_eq!(batch.verify(report, &tree.proof(index).unwrap()), Ok(()));
        }
        let digests: Vec<_> =
            evm(&vectors).iter().map(|target| hex::encode(target.batch_digest(&batch).unwrap())).collect();
        assert_eq!(Value::from(digests), expected["eip712"]);
        assert_eq!(hex::encode(neo(&vectors).batch(&batch)), expected["neo"]["message"]);
        assert_eq!(hex::encode(neo(&vectors).batch_digest(&batch)), expected["neo"]["digest"]);
    }
}
