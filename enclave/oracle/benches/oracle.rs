//! What a round of a feed costs with seven venues: reading their answers, coming to an answer, and what is signed of it.
//!
//! `cargo bench -p r3e-oracle`
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3e_oracle::feed::{Feed, FeedDefinition, Input, Outcome, Policy, Said, State, aggregate};
use r3e_oracle::venue::{Pair, Venue, built_in};
use r3e_proto::api::wallets::EvmAddress;
use r3e_proto::report::{EvmTarget, NeoTarget, Tree};

const ANSWERS: [(&str, &[u8]); 7] = [
    ("binance", include_bytes!("../tests/answers/binance.json")),
    ("bitstamp", include_bytes!("../tests/answers/bitstamp.json")),
    ("coinbase", include_bytes!("../tests/answers/coinbase.json")),
    ("gate", include_bytes!("../tests/answers/gate.json")),
    ("kraken", include_bytes!("../tests/answers/kraken.json")),
    ("kucoin", include_bytes!("../tests/answers/kucoin.json")),
    ("okx", include_bytes!("../tests/answers/okx.json")),
];
const NOW_MS: u64 = 1_700_000_000_500;

fn definition() -> FeedDefinition {
    let policy = Policy {
        decimals: 8,
        max_age_ms: 60_000,
        max_ahead_ms: 2_000,
        frozen_rounds: 1_000_000,
        min_volume: Some("1000000".parse().unwrap()),
        min_answer: "1".parse().unwrap(),
        max_answer: "10000000".parse().unwrap(),
        max_weight_bps: 3_000,
        outlier_mad_percent: 500,
        outlier_floor_bps: 50,
        max_jump_bps: 1_000,
        jump_rounds: 3,
        deviation_bps: 50,
        heartbeat_ms: 3_600_000,
        jitter_ms: 60_000,
        validity_ms: 3_600_000,
    };
    let asked = |venue: &r3e_oracle::venue::Definition| ANSWERS.iter().any(|(id, _)| venue.id == *id);
    let venues = built_in().into_iter().filter(asked).collect();
    FeedDefinition { name: "BTC/USD".into(), pair: "BTC/USD".parse().unwrap(), policy, venues }
}

fn read(venues: &[Venue], pair: &Pair) -> Vec<Input> {
    let one = |(venue, (id, body)): (&Venue, &(&str, &[u8]))| {
        let observation = venue.read(pair, body).unwrap();
        Input { source: (*id).to_owned(), said: Said::Observation { observation, received_ms: NOW_MS } }
    };
    venues.iter().zip(&ANSWERS).map(one).collect()
}

/// A publication, which is the longest way.
fn publish(feed: &Feed, inputs: &[Input], state: &State) -> Outcome {
    let step = aggregate(feed, NOW_MS, inputs, state).unwrap();
    assert!(matches!(step.outcome, Outcome::Publish(publication) if publication.answer.sources == 7));
    step.outcome
}

fn rounds(criterion: &mut Criterion) {
    let definition = definition();
    let (feed, venues) = definition.read().unwrap();
    let inputs = read(&venues, &definition.pair);
    // A feed that has run: it knows what each source said before.
    let state = aggregate(&feed, NOW_MS, &inputs, &State::default()).unwrap().state;
    let state = State { last: None, ..state };
    let mut group = criterion.benchmark_group("seven venues");
    group.throughput(Throughput::Elements(1));
    group.bench_function("read", |bencher| bencher.iter(|| black_box(read(&venues, &definition.pair))));
    group.bench_function("aggregate", |bencher| bencher.iter(|| black_box(publish(&feed, &inputs, &state))));
    let config = definition.digest();
    let evm = EvmTarget { chain_id: 1, contract: EvmAddress([7; 20]) };
    let neo = NeoTarget { magic: 860_833_102, contract: [7; 20] };
    group.bench_function("read, aggregate, both digests", |bencher| {
        bencher.iter(|| {
            let inputs = read(&venues, &definition.pair);
            let Outcome::Publish(publication) = publish(&feed, &inputs, &state) else { return };
            let report = publication.report(feed.id(), config).unwrap();
            black_box((evm.report_digest(&report).unwrap(), neo.report_digest(&report)));
        });
    });
    group.finish();

    let Outcome::Publish(publication) = publish(&feed, &inputs, &state) else { return };
    let report = publication.report(feed.id(), config).unwrap();
    let reports = vec![report; 200];
    let mut group = criterion.benchmark_group("batch");
    group.throughput(Throughput::Elements(200));
    group.bench_function("tree of 200 reports", |bencher| {
        bencher.iter(|| black_box(Tree::new(&reports).unwrap().batch()));
    });
    group.finish();
}

criterion_group!(benches, rounds);
criterion_main!(benches);
