//! What it takes to sign a report of a feed: for a contract on Ethereum, for one on Neo N3, and for both. Each signature is verified before it is
//! given out, which is part of it.
//!
//! `cargo bench -p r3e-keys`
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3e_keys::{OracleKeys, RootSecret};
use r3e_proto::api::feeds::Target;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::EvmAddress;
use r3e_proto::report::{EvmTarget, FeedId, NeoTarget, Report};
use zeroize::Zeroizing;

fn signed_reports(criterion: &mut Criterion) {
    let root = RootSecret::from_recovered(&Zeroizing::new([7; 32]));
    let keys = OracleKeys::of(&root, TenantId([1; 16])).unwrap();
    let evm = Target::Evm(EvmTarget { chain_id: 1, contract: EvmAddress([7; 20]) });
    let neo = Target::Neo(NeoTarget { magic: 860_833_102, contract: [7; 20] });
    let mut report = Report {
        feed_id: FeedId::named("BTC/USD").unwrap(),
        answer: 6_400_000_000_000,
        confidence: 1_000_000,
        decimals: 8,
        observed_at_s: 1_700_000_000,
        valid_until_s: 1_700_003_600,
        sequence: 1,
        sources: 7,
        config_digest: [9; 32],
    };
    let mut next = move || {
        report.sequence += 1;
        report
    };
    let mut group = criterion.benchmark_group("a signed report");
    group.throughput(Throughput::Elements(1));
    let sign = |target: &Target, report: &Report| black_box(keys.sign(target, report).unwrap());
    group.bench_function("for Ethereum", |bencher| bencher.iter(|| sign(&evm, &next())));
    group.bench_function("for Neo N3", |bencher| bencher.iter(|| sign(&neo, &next())));
    group.bench_function("for both", |bencher| {
        bencher.iter(|| {
            let report = next();
            (sign(&evm, &report), sign(&neo, &report))
        });
    });
    group.finish();
}

criterion_group!(benches, signed_reports);
criterion_main!(benches);
