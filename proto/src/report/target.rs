//! Where a signature is to hold: one contract on one network. EIP-712 for Ethereum and chains like it, a prefix of bytes for Neo N3.

use sha2::{Digest as _, Sha256};

use super::{Batch, REPORT_BYTES, Report};
use crate::api::wallets::{Eip712Domain, EvmAddress, Hash32, KeyType, Payload, TypedData, keccak256};
use crate::wallet::{PayloadError, digest};

/// A report's type under EIP-712.
pub const REPORT_TYPE: &str = "Report(bytes32 feedId,int256 answer,uint256 confidence,uint8 decimals,uint64 observedAt,uint64 validUntil,uint64 sequence,uint8 sources,bytes32 configDigest)";
/// A batch's type under EIP-712.
pub const BATCH_TYPE: &str = "Batch(bytes32 root,uint32 size)";
/// The function by which a contract on Ethereum takes a report (contracts/evm, `Aggregator`).
const TRANSMIT: &str = "transmit((int256,uint256,uint64,uint64,uint64,uint8,bytes32),bytes32,bytes32)";
/// What a report for Neo begins with.
pub const NEO_REPORT_DOMAIN: &[u8; 16] = b"r3e/1/neo-report";
/// What a batch for Neo begins with.
pub const NEO_BATCH_DOMAIN: &[u8; 16] = b"r3e/1/neo-batch\0";

/// The domain's name and version under EIP-712.
pub(crate) const ORACLE_DOMAIN: (&str, &str) = ("R3E Oracle", "1");

/// A contract on Ethereum or a chain like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvmTarget {
    /// The chain; 0 is none.
    pub chain_id: u64,
    /// The contract.
    pub contract: EvmAddress,
}

/// A contract on a network of Neo N3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeoTarget {
    /// The network's magic number.
    pub magic: u32,
    /// The contract's script hash, in the order of bytes that the chain keeps: the reverse of what is shown behind `0x`.
    pub contract: [u8; 20],
}

impl EvmTarget {
    /// What a wallet is asked to sign for a report: its policy can be held to the chain and the contract.
    pub fn report(&self, report: &Report) -> TypedData {
        self.typed(report.struct_hash())
    }

    /// The same for a batch.
    pub fn batch(&self, batch: &Batch) -> TypedData {
        self.typed(batch.struct_hash())
    }

    /// The 32 bytes that are signed for a report.
    ///
    /// # Errors
    /// [`PayloadError`], where a wallet would not sign it.
    pub fn report_digest(&self, report: &Report) -> Result<[u8; 32], PayloadError> {
        self.digest(self.report(report))
    }

    /// The 32 bytes that are signed for a batch.
    ///
    /// # Errors
    /// [`PayloadError`], where a wallet would not sign it.
    pub fn batch_digest(&self, batch: &Batch) -> Result<[u8; 32], PayloadError> {
        self.digest(self.batch(batch))
    }

    /// The data of a call that brings a report to its contract. The signature is `r || s || v`, as the appliance gives it, and goes along
    /// as in EIP-2098. None where it is no such signature.
    pub fn transmit_call(report: &Report, signature: &[u8]) -> Option<Vec<u8>> {
        let (r, vs) = compact(signature)?;
        let selector = keccak256(&[TRANSMIT.as_bytes()]);
        let mut data = selector.first_chunk::<4>()?.to_vec();
        data.extend(signed_word(report.answer));
        for number in [
            report.confidence,
            report.observed_at_s.into(),
            report.valid_until_s.into(),
            report.sequence.into(),
            report.sources.into(),
        ] {
            data.extend(word(number));
        }
        data.extend(report.config_digest);
        data.extend(r);
        data.extend(vs);
        Some(data)
    }

    /// A struct in the oracle's domain for this contract.
    pub(crate) fn typed(&self, struct_hash: [u8; 32]) -> TypedData {
        self.typed_in(ORACLE_DOMAIN, struct_hash)
    }

    /// The same in the domain of this name and version.
    pub(crate) fn typed_in(&self, (name, version): (&str, &str), struct_hash: [u8; 32]) -> TypedData {
        let domain = Eip712Domain {
            name: Some(name.to_owned()),
            version: Some(version.to_owned()),
            chain_id: self.chain_id,
            verifying_contract: self.contract,
            salt: None,
        };
        TypedData { domain, struct_hash: Hash32(struct_hash) }
    }

    /// The 32 bytes that are signed for it.
    pub(crate) fn digest(&self, typed: TypedData) -> Result<[u8; 32], PayloadError> {
        if self.chain_id == 0 {
            return Err(PayloadError::NoChain);
        }
        digest(KeyType::Secp256k1, &Payload::TypedData(typed))
    }
}

impl NeoTarget {
    /// The bytes that are signed for a report, by ECDSA on P-256 over their SHA-256: domain, magic number, contract, report.
    pub fn report(&self, report: &Report) -> Vec<u8> {
        self.bound(NEO_REPORT_DOMAIN, &report.encode())
    }

    /// The same for a batch: its root and its size.
    pub fn batch(&self, batch: &Batch) -> Vec<u8> {
        self.bound(NEO_BATCH_DOMAIN, &[batch.root.as_slice(), &batch.size.to_le_bytes()].concat())
    }

    /// The 32 bytes that are signed for a report.
    pub fn report_digest(&self, report: &Report) -> [u8; 32] {
        Sha256::digest(self.report(report)).into()
    }

    /// The 32 bytes that are signed for a batch.
    pub fn batch_digest(&self, batch: &Batch) -> [u8; 32] {
        Sha256::digest(self.batch(batch)).into()
    }

    /// Content with what says whose it is before it.
    pub(crate) fn bound(&self, domain: &[u8; 16], content: &[u8]) -> Vec<u8> {
        [domain.as_slice(), &self.magic.to_le_bytes(), &self.contract, content].concat()
    }

    /// The length of what is signed for a report. No transaction's sign data has it: that is 36 bytes.
    pub const REPORT_BYTES: usize = 16 + 4 + 20 + REPORT_BYTES;
}

impl Report {
    /// EIP-712's `hashStruct`: the type's hash, and each field in a word of 32 bytes.
    pub fn struct_hash(&self) -> [u8; 32] {
        keccak256(&[
            &keccak256(&[REPORT_TYPE.as_bytes()]),
            &self.feed_id.0,
            &signed_word(self.answer),
            &word(self.confidence),
            &word(self.decimals.into()),
            &word(self.observed_at_s.into()),
            &word(self.valid_until_s.into()),
            &word(self.sequence.into()),
            &word(self.sources.into()),
            &self.config_digest,
        ])
    }
}

impl Batch {
    /// EIP-712's `hashStruct`.
    pub fn struct_hash(&self) -> [u8; 32] {
        keccak256(&[&keccak256(&[BATCH_TYPE.as_bytes()]), &self.root, &word(self.size.into())])
    }
}

/// The halves of `r || s || v` as EIP-2098 has them; none where it is no such signature.
pub(crate) fn compact(signature: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let signature: &[u8; 65] = signature.try_into().ok()?;
    let [rs @ .., v] = signature;
    let odd = v.checked_sub(27).filter(|odd| *odd <= 1)?;
    let mut vs = *rs.last_chunk::<32>()?;
    if vs[0] >> 7 != 0 {
        return None;
    }
    vs[0] |= odd << 7;
    Some((*rs.first_chunk()?, vs))
}

pub(crate) fn word(number: u128) -> [u8; 32] {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}

/// In two's complement.
fn signed_word(number: i128) -> [u8; 32] {
    let mut word = [if number < 0 { 0xff } else { 0 }; 32];
    word[16..].copy_from_slice(&number.to_be_bytes());
    word
}
