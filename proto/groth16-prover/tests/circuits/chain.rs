//! Circuits of any length, with witnesses of them, over BN254: each wire is the product of the one before and itself, and one more.

use ark_bn254::Fr;
use ark_ff::{BigInteger as _, PrimeField};

/// A circuit of `steps` constraints, whose first wires are public: x' = x * x + 1, as x * x = x' - 1.
pub(crate) struct Chain {
    steps: u32,
    public: u32,
}

impl Chain {
    pub(crate) fn new(steps: u32, public: u32) -> Self {
        Self { steps, public }
    }

    fn wires(&self) -> u32 {
        // One, those that nothing is said of, and the chain's.
        1 + self.public + self.steps + 1
    }

    fn at(&self, step: u32) -> u32 {
        1 + self.public + step
    }

    /// The `.r1cs`.
    pub(crate) fn r1cs(&self) -> Vec<u8> {
        let mut header = Vec::new();
        header.extend(32_u32.to_le_bytes());
        header.extend(bytes(Fr::MODULUS));
        for count in [self.wires(), 0, self.public, self.steps] {
            header.extend(count.to_le_bytes());
        }
        header.extend(u64::from(self.wires()).to_le_bytes());
        header.extend(self.steps.to_le_bytes());
        let mut constraints = Vec::new();
        for step in 0..self.steps {
            let sum = |terms: &[(u32, Fr)]| {
                let mut sum = count(terms.len()).to_le_bytes().to_vec();
                for (wire, value) in terms {
                    sum.extend(wire.to_le_bytes());
                    sum.extend(bytes(value.into_bigint()));
                }
                sum
            };
            let one = Fr::from(1_u64);
            let before = sum(&[(self.at(step), one)]);
            constraints
                .extend([before.clone(), before, sum(&[(0, -one), (self.at(step + 1), one)])].concat());
        }
        let labels = (0..u64::from(self.wires())).flat_map(u64::to_le_bytes).collect();
        file(*b"r1cs", 1, &[header, constraints, labels])
    }

    /// The `.wtns`.
    pub(crate) fn wtns(&self) -> Vec<u8> {
        let mut header = Vec::new();
        header.extend(32_u32.to_le_bytes());
        header.extend(bytes(Fr::MODULUS));
        header.extend(self.wires().to_le_bytes());
        let mut values: Vec<Fr> = (0..=self.public).map(|wire| Fr::from(wire + 1)).collect();
        let mut value = Fr::from(3_u64);
        values.push(value);
        for _ in 0..self.steps {
            value = value * value + Fr::from(1_u64);
            values.push(value);
        }
        file(
            *b"wtns",
            2,
            &[header, values.into_iter().flat_map(|value| bytes(value.into_bigint())).collect()],
        )
    }
}

fn bytes(number: ark_ff::BigInt<4>) -> Vec<u8> {
    number.to_bytes_le()
}

fn file(magic: [u8; 4], version: u32, sections: &[Vec<u8>]) -> Vec<u8> {
    let mut file = magic.to_vec();
    file.extend(version.to_le_bytes());
    file.extend(count(sections.len()).to_le_bytes());
    for (kind, section) in (1_u32..).zip(sections) {
        file.extend(kind.to_le_bytes());
        file.extend(u64::from(count(section.len())).to_le_bytes());
        file.extend(section);
    }
    file
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
