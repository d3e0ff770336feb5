//! What a random number with its proof costs, and verifying one.
//!
//! `cargo bench -p r3e-vrf`
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use r3e_vrf::SecretKey;

fn randomness(criterion: &mut Criterion) {
    let key = SecretKey::from_bytes(&[7; 32]).unwrap();
    let (proof, _) = key.prove(b"block 7").unwrap();
    let public = key.public_key();
    let mut group = criterion.benchmark_group("randomness");
    group.bench_function("prove", |bencher| bencher.iter(|| black_box(key.prove(b"block 7"))));
    group.bench_function("verify", |bencher| bencher.iter(|| black_box(public.verify(b"block 7", &proof))));
    group.finish();
}

criterion_group!(benches, randomness);
criterion_main!(benches);
