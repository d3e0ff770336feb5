//! A transaction's attributes.

use crate::bytes::{CodecError, Reader, Writer};
use crate::hash::Hash256;
use crate::limits::MAX_NEO_ORACLE_RESULT_BYTES;

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// Of the committee: goes before others.
    HighPriority,
    /// Of an oracle node: the answer to a request.
    OracleResponse {
        /// The request.
        id: u64,
        /// How it went.
        code: u8,
        /// The answer.
        result: Vec<u8>,
    },
    /// Not in a block below this height.
    NotValidBefore(u32),
    /// Not beside this transaction.
    Conflicts(Hash256),
    /// Of a notary: so many keys are to sign.
    NotaryAssisted(u8),
}

impl Attribute {
    /// Reads one.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match reader.byte("an attribute")? {
            0x01 => Self::HighPriority,
            0x11 => {
                let id = u64::from_le_bytes(reader.array("an oracle's request")?);
                let code = reader.byte("an oracle's code")?;
                let result = reader.bytes(MAX_NEO_ORACLE_RESULT_BYTES, "an oracle's result")?.to_vec();
                Self::OracleResponse { id, code, result }
            }
            0x20 => Self::NotValidBefore(u32::from_le_bytes(reader.array("a height")?)),
            0x21 => Self::Conflicts(Hash256(reader.array("a transaction's hash")?)),
            0x22 => Self::NotaryAssisted(reader.byte("a number of keys")?),
            _ => return Err(CodecError::Value { what: "an attribute's kind" }),
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        match self {
            Self::HighPriority => writer.raw(&[0x01]),
            Self::OracleResponse { id, code, result } => {
                writer.raw(&[0x11]).raw(&id.to_le_bytes()).raw(&[*code]).bytes(result)
            }
            Self::NotValidBefore(height) => writer.raw(&[0x20]).raw(&height.to_le_bytes()),
            Self::Conflicts(hash) => writer.raw(&[0x21]).raw(&hash.0),
            Self::NotaryAssisted(keys) => writer.raw(&[0x22, *keys]),
        };
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        match self {
            Self::OracleResponse { result, .. } if result.len() > MAX_NEO_ORACLE_RESULT_BYTES => {
                let max = MAX_NEO_ORACLE_RESULT_BYTES;
                Err(CodecError::TooLong { what: "an oracle's result", max })
            }
            _ => Ok(()),
        }
    }

    /// Whether the chain takes several of its kind.
    pub(super) fn may_repeat(&self) -> bool {
        matches!(self, Self::Conflicts(_))
    }
}
