//! Neo N3: its formats, byte by byte, and its nodes' answers.
//!
//! ```text
//! Script, Signer, Witness --> Transaction --hash, network magic--> sign_data, which a P-256 key signs
//! getblock, bytes --> Block: header's hash, Merkle root --> transactions --getapplicationlog--> Notification
//! ```
//!
//! Hashes are kept in the chain's order, little-endian, and shown the other way round, with `0x` before them, as nodes do. What is decoded
//! is encoded to the same bytes again: a length has one form, and nothing stands behind the end.

mod address;
mod application_log;
mod attribute;
mod block;
mod bytes;
mod hash;
mod item;
mod script;
mod signer;
mod source;
mod transaction;
mod witness;

pub use address::{ADDRESS_VERSION, AddressError, address, parse_address};
pub use application_log::{Execution, Notification, read_application_log};
pub use attribute::Attribute;
pub use block::{Block, Header, read_block};
pub use bytes::{CodecError, Reader, Writer};
pub use hash::{Hash160, Hash256, HashError, PublicKey, hash160};
pub use item::{Item, ItemError};
pub use script::{Argument, CallFlags, ScriptBuilder, ScriptError};
pub use signer::{Condition, Rule, Scopes, Signer};
pub use source::{BlockEvent, NeoBlocks, NeoEvents, NeoSource};
pub use transaction::{MAX_VALID_BLOCKS, Transaction, sign_data};
pub use witness::{Witness, multi_verification_script, signature_invocation, verification_script};
