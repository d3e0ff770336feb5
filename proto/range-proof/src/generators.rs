//! The points that proofs are made of. They follow from their names alone, so there is nothing to set up, and they take longer to make
//! than a proof takes to verify: each size is made once.

use std::sync::OnceLock;

use bulletproofs::{BulletproofGens, PedersenGens};

use crate::MAX_NUMBERS;

/// Sizes: for 1, 2, 4 … sides.
const SIZES: usize = (2 * MAX_NUMBERS).ilog2() as usize + 1;
/// Bits of a side at the most.
const BITS: usize = 64;

/// Makes those of every size, which takes a tenth of a second, so that no proof waits for them.
pub fn warm_up() {
    pedersen();
    for size in 0..SIZES {
        for_sides(1 << size);
    }
}

/// The two points of a commitment.
pub(crate) fn pedersen() -> &'static PedersenGens {
    static GENERATORS: OnceLock<PedersenGens> = OnceLock::new();
    GENERATORS.get_or_init(PedersenGens::default)
}

/// Those for so many sides, a power of two. The first of a larger size are those of the smaller.
pub(crate) fn for_sides(sides: usize) -> &'static BulletproofGens {
    static GENERATORS: [OnceLock<BulletproofGens>; SIZES] = [const { OnceLock::new() }; SIZES];
    let size = (sides.max(1).ilog2() as usize).min(SIZES - 1);
    let made = GENERATORS.get(size).unwrap_or(&GENERATORS[SIZES - 1]);
    made.get_or_init(|| BulletproofGens::new(BITS, 1 << size))
}
