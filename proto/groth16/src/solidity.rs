//! What contracts need: a verifier of one key's proofs in Solidity, and a proof as its arguments. Over BN254 alone, whose arithmetic all chains like
//! Ethereum have (EIP-196, EIP-197).

use std::fmt::Write as _;

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ff::PrimeField;
use num_bigint::BigUint;
use serde_json::{Value, json};

use crate::{Groth16Error, Key, Over, Points, Proof, VerificationKey, number};

/// Most signals of a key that a contract is made of: solc 0.8.37 makes 11,700 to 24,100 bytes of so many, by how it optimises, and EIP-170 allows 24,576.
pub const MAX_CONTRACT_SIGNALS: usize = 112;
/// The longest name of a contract.
pub const MAX_CONTRACT_NAME_BYTES: usize = 64;

impl VerificationKey {
    /// A contract that verifies proofs of this key: Solidity, by the interface that snarkjs' verifiers have.
    ///
    /// # Errors
    /// [`Groth16Error`]: the key is over another curve or of too many signals, or the name is none of Solidity's.
    pub fn contract(&self, name: &str) -> Result<String, Groth16Error> {
        let Over::Bn254(key) = &self.0 else { return Err(Groth16Error::NoContract { curve: self.curve() }) };
        let signals = self.signals();
        if signals == 0 || signals > MAX_CONTRACT_SIGNALS {
            return Err(Groth16Error::ContractSignals { found: signals, max: MAX_CONTRACT_SIGNALS });
        }
        if !is_name(name) {
            return Err(Groth16Error::ContractName);
        }
        Ok(text(key, name, signals))
    }
}

impl Proof {
    /// The arguments of the contract's `verifyProof`, as JSON: `[a, b, c, signals]`, every number in hexadecimal.
    ///
    /// # Errors
    /// [`Groth16Error`]: the proof is over another curve, or a signal is no number below the order.
    pub fn contract_arguments(&self, signals: &[String]) -> Result<Value, Groth16Error> {
        let Over::Bn254(Points { a, b, c }) = &self.0 else {
            return Err(Groth16Error::NoContract { curve: self.curve() });
        };
        let signals = signals
            .iter()
            .enumerate()
            .map(|(at, text)| number::field::<Fr>(text, || format!("signal {at}")).map(hexadecimal));
        let signals: Vec<String> = signals.collect::<Result<_, _>>()?;
        let first = |point: &G1Affine| [hexadecimal(point.x), hexadecimal(point.y)];
        let pair = |pair: Fq2| [hexadecimal(pair.c1), hexadecimal(pair.c0)];
        Ok(json!([first(a), [pair(b.x), pair(b.y)], first(c), signals]))
    }
}

/// A word of 32 bytes.
fn hexadecimal<F: PrimeField>(number: F) -> String {
    format!("0x{:064x}", decimal(number))
}

fn decimal<F: PrimeField>(number: F) -> BigUint {
    number.into()
}

/// Whether Solidity takes it for the name of a contract: its words are in lower case.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_CONTRACT_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn text(key: &Key<Bn254>, name: &str, signals: usize) -> String {
    let mut constants = String::new();
    let mut constant = |name: &str, value: BigUint| {
        let _infallible = writeln!(constants, "    uint256 private constant {name} = {value};");
    };
    let mut first = |name: &str, point: &G1Affine| {
        constant(&format!("{name}_X"), decimal(point.x));
        constant(&format!("{name}_Y"), decimal(point.y));
    };
    first("ALPHA", &key.alpha);
    for (at, point) in key.inputs.iter().enumerate() {
        first(&format!("IC{at}"), point);
    }
    let mut second = |name: &str, point: &G2Affine| {
        constant(&format!("{name}_X1"), decimal(point.x.c1));
        constant(&format!("{name}_X0"), decimal(point.x.c0));
        constant(&format!("{name}_Y1"), decimal(point.y.c1));
        constant(&format!("{name}_Y0"), decimal(point.y.c0));
    };
    second("BETA", &key.beta);
    second("GAMMA", &key.gamma);
    second("DELTA", &key.delta);
    let mut sums = String::new();
    for at in 0..signals {
        let point = at + 1;
        let _infallible =
            writeln!(sums, "        if (!add(sum, IC{point}_X, IC{point}_Y, signals[{at}])) return false;");
    }
    let decimals = |modulus: BigUint| modulus.to_string();
    TEMPLATE
        .replace("{name}", name)
        .replace("{signals}", &signals.to_string())
        .replace("{order}", &decimals(Fr::MODULUS.into()))
        .replace("{modulus}", &decimals(Fq::MODULUS.into()))
        .replace("{constants}", constants.trim_end())
        .replace("{sums}", sums.trim_end())
}

/// Placeholders in braces stand where nothing of Solidity has one word in braces.
const TEMPLATE: &str = include_str!("verifier.sol.in");
