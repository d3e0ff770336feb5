//! Neo N3's formats, byte by byte.
//!
//! ```text
//! Script, Signer, Witness --> Transaction --hash, network magic--> sign_data, which a P-256 key signs
//! ```
//!
//! Hashes are kept in the chain's order, little-endian, and shown the other way round, with `0x` before them, as nodes do. What is decoded
//! is encoded to the same bytes again: a length has one form, and nothing stands behind the end.
//!
//! It knows no key, no node and no network. Its vectors, which neo-mamba made, stand with the chain's client, that reads blocks as well.

#![forbid(unsafe_code)]

mod address;
mod attribute;
mod bytes;
mod contract;
mod hash;
pub mod limits;
pub mod number;
mod script;
mod signer;
mod transaction;
mod witness;

pub use address::{ADDRESS_VERSION, AddressError, address, parse_address};
pub use attribute::Attribute;
pub use bytes::{CodecError, Reader, Writer};
pub use contract::deployed_contract;
pub use hash::{Hash160, Hash256, HashError, PublicKey, hash160};
pub use script::{Argument, CallFlags, ScriptBuilder, ScriptError};
pub use signer::{Condition, Rule, Scopes, Signer};
pub use transaction::{MAX_VALID_BLOCKS, Transaction, sign_data};
pub use witness::{Witness, multi_verification_script, signature_invocation, verification_script};
