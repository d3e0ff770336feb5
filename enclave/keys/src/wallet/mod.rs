//! Wallets: keys that sign for a tenant.
//!
//! ```text
//! RootSecret --derive--> WalletSecret --key()--> WalletKey --sign(Allowed)--> Signature
//! file, text --import--^      |
//!                             +--seal(ExportAllowed)--> encrypted to the tenant's X25519 key
//! Payload --Decoded::of--> Decoded --Gate::sign--> Allowed
//! ```
//!
//! - [`gate`] decides, without I/O or a clock; only it makes an [`Allowed`](gate::Allowed), and no key signs without one.
//! - [`import`] reads keys that were made elsewhere.
//! - A secret is wiped when it is dropped, has no `Debug`, and stands in no error.
//!
//! It knows nothing of where policies and counters are kept: whoever asks it writes the counters down durably before the
//! signature is made.

mod address;
mod base58check;
mod export;
pub mod gate;
pub mod import;
mod key;
mod secret;

pub(crate) use address::ethereum;
pub use export::SealedKey;
pub use key::{Signature, WalletKey};
pub use secret::WalletSecret;
