//! Scripts of the virtual machine: what a transaction runs.

use sha2::{Digest as _, Sha256};

use crate::hash::{Hash160, Hash256, PublicKey};
use crate::limits::{MAX_ARGUMENT_DEPTH, MAX_BUILT_SCRIPT_BYTES, MAX_ITEM_BYTES, MAX_ITEM_COUNT};
use crate::number::Int256;

/// The operation codes that are written here.
mod code {
    pub(super) const PUSH_INT: u8 = 0x00;
    pub(super) const PUSH_TRUE: u8 = 0x08;
    pub(super) const PUSH_FALSE: u8 = 0x09;
    pub(super) const PUSH_NULL: u8 = 0x0b;
    pub(super) const PUSH_DATA_1: u8 = 0x0c;
    pub(super) const PUSH_DATA_2: u8 = 0x0d;
    pub(super) const PUSH_DATA_4: u8 = 0x0e;
    pub(super) const PUSH_MINUS_1: u8 = 0x0f;
    pub(super) const PUSH_0: u8 = 0x10;
    pub(super) const SYSCALL: u8 = 0x41;
    pub(super) const PACK_MAP: u8 = 0xbe;
    pub(super) const PACK: u8 = 0xc0;
    pub(super) const NEW_ARRAY_0: u8 = 0xc2;
}

/// The system call that calls a contract.
const CONTRACT_CALL: &str = "System.Contract.Call";
/// The largest number that has an operation code of its own.
const LARGEST_SMALL: i128 = 16;

/// Why a script cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// It, or a part of it, is too long to run.
    #[error("{what}: at most {max}")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
}

/// What a call may do (`CallFlags`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallFlags(u8);

impl CallFlags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Read the state, and call others.
    pub const READ_ONLY: Self = Self(0x05);
    /// Everything.
    pub const ALL: Self = Self(0x0f);

    /// Its bits: 1 reads the state, 2 writes it, 4 calls, 8 notifies. None where another is set.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Its bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// Null.
    Null,
    /// A truth value.
    Boolean(bool),
    /// A number.
    Integer(Int256),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A text, as UTF-8.
    Text(String),
    /// A contract or an account.
    Hash160(Hash160),
    /// A block's or a transaction's hash.
    Hash256(Hash256),
    /// A public key.
    PublicKey(PublicKey),
    /// Several.
    Array(Vec<Argument>),
    /// Names and values.
    Map(Vec<(Argument, Argument)>),
}

/// A script that is being written.
#[derive(Debug, Clone, Default)]
pub struct ScriptBuilder {
    bytes: Vec<u8>,
    values: usize,
}

impl ScriptBuilder {
    /// Calls `method` of `contract` with `arguments`.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn call(
        &mut self,
        contract: Hash160,
        method: &str,
        flags: CallFlags,
        arguments: &[Argument],
    ) -> Result<&mut Self, ScriptError> {
        if arguments.is_empty() {
            self.operation(code::NEW_ARRAY_0);
        } else {
            self.array(arguments, 1)?;
        }
        self.integer(Int256::from(i128::from(flags.bits())));
        self.bytes(method.as_bytes())?.bytes(&contract.0)?;
        Ok(self.system_call(CONTRACT_CALL))
    }

    /// Puts a value on the stack.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn argument(&mut self, argument: &Argument) -> Result<&mut Self, ScriptError> {
        self.nested(argument, 0)
    }

    /// Puts a number on the stack, in its shortest form.
    pub fn integer(&mut self, number: Int256) -> &mut Self {
        match number.to_i128() {
            Some(-1) => return self.operation(code::PUSH_MINUS_1),
            Some(small @ 0..=LARGEST_SMALL) => {
                // At most 16.
                return self.operation(code::PUSH_0 + u8::try_from(small).unwrap_or_default());
            }
            _ => {}
        }
        // PUSHINT8 to PUSHINT256: one operation code for each width.
        let widths = [1, 2, 4, 8, 16, 32];
        let (at, width) = (0_u8..).zip(widths).find(|(_, width)| number.fits(8 * width)).unwrap_or((5, 32));
        self.operation(code::PUSH_INT + at);
        self.bytes.extend(number.0.iter().rev().take(width));
        self
    }

    /// Puts bytes on the stack.
    ///
    /// # Errors
    /// [`ScriptError`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<&mut Self, ScriptError> {
        match (u8::try_from(bytes.len()), u16::try_from(bytes.len()), u32::try_from(bytes.len())) {
            (Ok(length), ..) => self.operation(code::PUSH_DATA_1).bytes.push(length),
            (_, Ok(length), _) => {
                self.operation(code::PUSH_DATA_2).bytes.extend_from_slice(&length.to_le_bytes());
            }
            (.., Ok(length)) if bytes.len() <= MAX_ITEM_BYTES => {
                self.operation(code::PUSH_DATA_4).bytes.extend_from_slice(&length.to_le_bytes());
            }
            _ => return Err(ScriptError::TooLong { what: "bytes on the stack", max: MAX_ITEM_BYTES }),
        }
        self.bytes.extend_from_slice(bytes);
        Ok(self)
    }

    /// Makes a system call.
    pub fn system_call(&mut self, name: &str) -> &mut Self {
        let hash = Sha256::digest(name.as_bytes());
        self.operation(code::SYSCALL).bytes.extend_from_slice(&hash[..4]);
        self
    }

    /// Adds one operation code.
    pub fn operation(&mut self, code: u8) -> &mut Self {
        self.bytes.push(code);
        self
    }

    /// The script.
    ///
    /// # Errors
    /// [`ScriptError`]: it is longer than any that a transaction may have.
    pub fn finish(self) -> Result<Vec<u8>, ScriptError> {
        let max = MAX_BUILT_SCRIPT_BYTES;
        if self.bytes.len() > max {
            return Err(ScriptError::TooLong { what: "a script, in bytes", max });
        }
        Ok(self.bytes)
    }

    fn nested(&mut self, argument: &Argument, depth: usize) -> Result<&mut Self, ScriptError> {
        if depth > MAX_ARGUMENT_DEPTH {
            return Err(ScriptError::TooLong { what: "nesting of arguments", max: MAX_ARGUMENT_DEPTH });
        }
        self.values += 1;
        if self.values > MAX_ITEM_COUNT {
            return Err(ScriptError::TooLong { what: "values of a script", max: MAX_ITEM_COUNT });
        }
        match argument {
            Argument::Null => Ok(self.operation(code::PUSH_NULL)),
            Argument::Boolean(value) => {
                Ok(self.operation(if *value { code::PUSH_TRUE } else { code::PUSH_FALSE }))
            }
            Argument::Integer(number) => Ok(self.integer(*number)),
            Argument::Bytes(bytes) => self.bytes(bytes),
            Argument::Text(text) => self.bytes(text.as_bytes()),
            Argument::Hash160(hash) => self.bytes(&hash.0),
            Argument::Hash256(hash) => self.bytes(&hash.0),
            Argument::PublicKey(key) => self.bytes(&key.0),
            Argument::Array(items) if items.is_empty() => Ok(self.operation(code::NEW_ARRAY_0)),
            Argument::Array(items) => self.array(items, depth + 1),
            Argument::Map(members) => {
                for (name, value) in members.iter().rev() {
                    self.nested(value, depth + 1)?.nested(name, depth + 1)?;
                }
                Ok(self.count(members.len()).operation(code::PACK_MAP))
            }
        }
    }

    /// The machine takes from the end: the last is put there first.
    fn array(&mut self, items: &[Argument], depth: usize) -> Result<&mut Self, ScriptError> {
        for item in items.iter().rev() {
            self.nested(item, depth)?;
        }
        Ok(self.count(items.len()).operation(code::PACK))
    }

    fn count(&mut self, count: usize) -> &mut Self {
        // Bounded by the values of a script.
        self.integer(Int256::from(i128::try_from(count).unwrap_or(i128::MAX)))
    }
}
