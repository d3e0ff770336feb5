//! What a range proof costs, beside the same by the library alone, in one run.
//!
//! `cargo bench -p r3e-range-proof --profile dev`
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

use std::hint::black_box;

use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use criterion::{Criterion, criterion_group, criterion_main};
use curve25519_dalek::scalar::Scalar;
use merlin::Transcript;
use r3e_range_proof::{Blinding, Opening, Range, prove, verify};
use rand_core_06::OsRng;

fn range_proofs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("range proof");
    for numbers in [1, 16] {
        library(&mut group, numbers);
        ours(&mut group, numbers, "64 bits", 0, u64::MAX);
    }
    ours(&mut group, 1, "18 to 150", 18, 150);
    ours(&mut group, 16, "1 to 2^64 - 1", 1, u64::MAX);
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn ours(group: &mut Group<'_>, numbers: usize, named: &str, min: u64, max: u64) {
    let range = Range::new(min, max).unwrap();
    let blinding = [7; 32];
    let openings = || -> Vec<_> {
        let one = || (range, Opening::new(100, Blinding::from_bytes(&first_bits(blinding)).unwrap()));
        (0..numbers).map(|_| one()).collect()
    };
    let given = openings();
    let (statement, proof) = prove(b"owner", b"context", &given).unwrap();
    group.bench_function(format!("{numbers} of {named}, prove"), |bencher| {
        bencher.iter(|| black_box(prove(b"owner", b"context", &given).unwrap()));
    });
    group.bench_function(format!("{numbers} of {named}, verify"), |bencher| {
        bencher.iter(|| verify(&statement, &proof).unwrap());
    });
}

/// As the crate's own bench has it: with points made before.
fn library(group: &mut Group<'_>, numbers: usize) {
    let (generators, points) = (BulletproofGens::new(64, numbers), PedersenGens::default());
    let values = vec![100; numbers];
    let blindings: Vec<_> = values.iter().map(|_| Scalar::random(&mut OsRng)).collect();
    let made = || {
        let mut transcript = Transcript::new(b"bench");
        RangeProof::prove_multiple_with_rng(
            &generators,
            &points,
            &mut transcript,
            &values,
            &blindings,
            64,
            &mut OsRng,
        )
        .unwrap()
    };
    let (proof, commitments) = made();
    group.bench_function(format!("library, {numbers} of 64 bits, prove"), |bencher| {
        bencher.iter(|| black_box(made()));
    });
    group.bench_function(format!("library, {numbers} of 64 bits, verify"), |bencher| {
        bencher.iter(|| {
            let mut transcript = Transcript::new(b"bench");
            proof
                .verify_multiple_with_rng(&generators, &points, &mut transcript, &commitments, 64, &mut OsRng)
                .unwrap();
        });
    });
}

/// Below the group's order.
fn first_bits(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] &= 0x0f;
    bytes
}

criterion_group!(benches, range_proofs);
criterion_main!(benches);
