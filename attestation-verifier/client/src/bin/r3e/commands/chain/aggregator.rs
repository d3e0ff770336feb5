//! What an `Aggregator` is made of: its program, with the arguments of its constructor behind it (the Solidity ABI's encoding).

use r3e_proto::api::wallets::{EvmAddress, HexBytes};

use super::artifact;
use crate::error::CliError;

/// The contract as it was compiled; docs/contracts.md says how.
const ARTIFACT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/evm/artifacts/Aggregator.json"));
/// Of a word of the encoding.
const WORD_BYTES: usize = 32;
/// Members of the contract's `Settings`.
const MEMBERS: usize = 11;

/// The contract's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aggregator {
    pub(super) feed_id: [u8; 32],
    pub(super) decimals: u8,
    pub(super) description: String,
    pub(super) min_answer: i128,
    pub(super) max_answer: i128,
    pub(super) history: u16,
    pub(super) delay_seconds: u64,
    pub(super) admin: EvmAddress,
    pub(super) signer: EvmAddress,
    pub(super) config_digest: [u8; 32],
    pub(super) attestation: [u8; 32],
}

impl Aggregator {
    /// The data of the transaction that creates it.
    ///
    /// # Errors
    /// The program that is built in is none: a fault of this tool.
    pub(super) fn creation(&self) -> Result<HexBytes, CliError> {
        let mut data = artifact::program(ARTIFACT)?;
        data.extend_from_slice(self.arguments().as_flattened());
        Ok(HexBytes(data))
    }

    fn arguments(&self) -> Vec<[u8; WORD_BYTES]> {
        let mut words = vec![
            // Where the one argument is, and in it where the description is.
            number(WORD_BYTES as u64),
            self.feed_id,
            number(self.decimals.into()),
            number((MEMBERS * WORD_BYTES) as u64),
            signed(self.min_answer),
            signed(self.max_answer),
            number(self.history.into()),
            number(self.delay_seconds),
            address(self.admin),
            address(self.signer),
            self.config_digest,
            self.attestation,
            number(self.description.len() as u64),
        ];
        words.extend(self.description.as_bytes().chunks(WORD_BYTES).map(|chunk| {
            let mut word = [0; WORD_BYTES];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            word
        }));
        words
    }
}

fn number(number: u64) -> [u8; WORD_BYTES] {
    signed(number.into())
}

fn signed(number: i128) -> [u8; WORD_BYTES] {
    let mut word = if number < 0 { [0xff; WORD_BYTES] } else { [0; WORD_BYTES] };
    word[WORD_BYTES / 2..].copy_from_slice(&number.to_be_bytes());
    word
}

fn address(address: EvmAddress) -> [u8; WORD_BYTES] {
    let mut word = [0; WORD_BYTES];
    word[WORD_BYTES - address.0.len()..].copy_from_slice(&address.0);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_as_the_abi_has_them() {
        let aggregator = Aggregator {
            feed_id: [1; 32],
            decimals: 2,
            description: "a description that is longer than one word".into(),
            min_answer: -1,
            max_answer: 258,
            history: 256,
            delay_seconds: 86_400,
            admin: EvmAddress([2; 20]),
            signer: EvmAddress([3; 20]),
            config_digest: [4; 32],
            attestation: [5; 32],
        };
        let words: Vec<String> = aggregator.arguments().iter().map(hex::encode).collect();
        assert_eq!(words.len(), 1 + MEMBERS + 1 + 2);
        assert_eq!(words[3], format!("{:064x}", 352), "the description stands behind the members");
        assert_eq!(
            (words[4].as_str(), words[5].as_str()),
            ("f".repeat(64).as_str(), format!("{:064x}", 258).as_str())
        );
        assert_eq!(words[8], format!("{}{}", "0".repeat(24), "02".repeat(20)));
        assert_eq!(words[12], format!("{:064x}", 42));
        assert!(words[14].ends_with(&"0".repeat(44)) && words[14].starts_with(&hex::encode("n one word")));
        let data = aggregator.creation().unwrap().0;
        assert!(data.starts_with(&[0x60]) || data.starts_with(&[0x61]), "a program");
        assert!(data.ends_with(aggregator.arguments().as_flattened()));
    }
}
