//! Transactions.

use std::collections::BTreeSet;
use std::mem::discriminant;

use crate::attribute::Attribute;
use crate::bytes::{CodecError, Reader, Writer};
use crate::hash::Hash256;
use crate::limits::{MAX_NEO_ATTRIBUTES, MAX_NEO_SCRIPT_BYTES, MAX_NEO_TRANSACTION_BYTES};
use crate::signer::Signer;
use crate::witness::Witness;

/// The one version there is.
const VERSION: u8 = 0;
/// How far ahead of the chain's height `valid_until_block` may be (`MaxValidUntilBlockIncrement` of the main network).
pub const MAX_VALID_BLOCKS: u32 = 5_760;

/// A transaction. Its hash is over everything but the witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// A number that makes it another one.
    pub nonce: u32,
    /// What running it costs, in 10^-8 GAS.
    pub system_fee: i64,
    /// What carrying it costs, in 10^-8 GAS.
    pub network_fee: i64,
    /// The last block that may have it.
    pub valid_until_block: u32,
    /// Whose signatures it carries; the first pays.
    pub signers: Vec<Signer>,
    /// What else is said of it.
    pub attributes: Vec<Attribute>,
    /// What it runs.
    pub script: Vec<u8>,
    /// One for each signer, in their order; none while it is being made.
    pub witnesses: Vec<Witness>,
}

impl Transaction {
    /// Reads one, and nothing behind it.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let transaction = Self::read(&mut reader)?;
        reader.end()?;
        Ok(transaction)
    }

    /// Its bytes, witnesses included.
    ///
    /// # Errors
    /// [`CodecError`]: it is none that a node takes. There may be no witnesses yet: their size counts for the fee.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        self.check()?;
        let mut writer = Writer::default();
        self.write_unsigned(&mut writer);
        writer.list(&self.witnesses, |writer, witness| witness.write(writer));
        let bytes = writer.finish();
        if bytes.len() > MAX_NEO_TRANSACTION_BYTES {
            return Err(CodecError::TooLong {
                what: "a transaction, in bytes",
                max: MAX_NEO_TRANSACTION_BYTES,
            });
        }
        Ok(bytes)
    }

    /// Its name.
    ///
    /// # Errors
    /// [`CodecError`]: it is none that a node takes.
    pub fn hash(&self) -> Result<Hash256, CodecError> {
        self.check()?;
        Ok(self.hash_unchecked())
    }

    /// Its name, of one that was read: that is known to be one that a node takes.
    pub fn hash_unchecked(&self) -> Hash256 {
        let mut writer = Writer::default();
        self.write_unsigned(&mut writer);
        Hash256::of(&writer.finish())
    }

    /// Reads one, as a block has it among others.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let before = reader.left();
        if reader.byte("a transaction's version")? != VERSION {
            return Err(CodecError::Value { what: "a transaction's version" });
        }
        let nonce = u32::from_le_bytes(reader.array("a transaction's nonce")?);
        let system_fee = i64::from_le_bytes(reader.array("a transaction's system fee")?);
        let network_fee = i64::from_le_bytes(reader.array("a transaction's network fee")?);
        let valid_until_block = u32::from_le_bytes(reader.array("a transaction's last block")?);
        let signers = reader.list(MAX_NEO_ATTRIBUTES, "a transaction's signers", Signer::read)?;
        let attributes = reader.list(MAX_NEO_ATTRIBUTES, "a transaction's attributes", Attribute::read)?;
        let script = reader.bytes(MAX_NEO_SCRIPT_BYTES, "a transaction's script")?.to_vec();
        let witnesses = reader.list(MAX_NEO_ATTRIBUTES, "a transaction's witnesses", Witness::read)?;
        if before - reader.left() > MAX_NEO_TRANSACTION_BYTES {
            return Err(CodecError::TooLong {
                what: "a transaction, in bytes",
                max: MAX_NEO_TRANSACTION_BYTES,
            });
        }
        let transaction = Self {
            nonce,
            system_fee,
            network_fee,
            valid_until_block,
            signers,
            attributes,
            script,
            witnesses,
        };
        transaction.check()?;
        Ok(transaction)
    }

    /// Writes it, witnesses included.
    pub fn write(&self, writer: &mut Writer) {
        self.write_unsigned(writer);
        writer.list(&self.witnesses, |writer, witness| witness.write(writer));
    }

    fn write_unsigned(&self, writer: &mut Writer) {
        writer
            .raw(&[VERSION])
            .raw(&self.nonce.to_le_bytes())
            .raw(&self.system_fee.to_le_bytes())
            .raw(&self.network_fee.to_le_bytes())
            .raw(&self.valid_until_block.to_le_bytes())
            .list(&self.signers, |writer, signer| signer.write(writer))
            .list(&self.attributes, |writer, attribute| attribute.write(writer))
            .bytes(&self.script);
    }

    /// What each node checks of a transaction by itself (`Transaction.DeserializeUnsigned`).
    fn check(&self) -> Result<(), CodecError> {
        if self.system_fee < 0 || self.network_fee < 0 {
            return Err(CodecError::Value { what: "a fee below zero" });
        }
        if self.system_fee.checked_add(self.network_fee).is_none() {
            return Err(CodecError::Value { what: "fees that add up to no number" });
        }
        if self.signers.is_empty() {
            return Err(CodecError::Value { what: "a transaction without a signer" });
        }
        if self.signers.len() + self.attributes.len() > MAX_NEO_ATTRIBUTES {
            return Err(CodecError::TooLong { what: "signers and attributes", max: MAX_NEO_ATTRIBUTES });
        }
        let accounts: BTreeSet<_> = self.signers.iter().map(|signer| signer.account).collect();
        if accounts.len() != self.signers.len() {
            return Err(CodecError::Repeated { what: "a signer" });
        }
        self.signers.iter().try_for_each(Signer::check)?;
        self.attributes.iter().try_for_each(Attribute::check)?;
        for (at, attribute) in self.attributes.iter().enumerate().filter(|(_, one)| !one.may_repeat()) {
            if self.attributes[..at].iter().any(|before| discriminant(before) == discriminant(attribute)) {
                return Err(CodecError::Repeated { what: "an attribute" });
            }
        }
        if self.script.is_empty() {
            return Err(CodecError::Value { what: "a transaction without a script" });
        }
        if self.script.len() > MAX_NEO_SCRIPT_BYTES {
            return Err(CodecError::TooLong { what: "a script, in bytes", max: MAX_NEO_SCRIPT_BYTES });
        }
        if !self.witnesses.is_empty() && self.witnesses.len() != self.signers.len() {
            return Err(CodecError::Value { what: "another number of witnesses than of signers" });
        }
        self.witnesses.iter().try_for_each(Witness::check)
    }
}

/// What is signed: the network's magic number, and the hash. ECDSA on P-256 hashes it with SHA-256 once more.
pub fn sign_data(magic: u32, hash: Hash256) -> [u8; 36] {
    let mut data = [0; 36];
    data[..4].copy_from_slice(&magic.to_le_bytes());
    data[4..].copy_from_slice(&hash.0);
    data
}
