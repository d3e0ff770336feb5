//! Strict, bounded CBOR (RFC 8949): the one decoder for bytes that come from outside, and the one encoder.
//!
//! - [`decode`] reads any well-formed encoding, as other people's formats need (attestation documents use
//!   indefinite lengths), but never trailing bytes, duplicate map keys or more than the caller's [`Limits`].
//! - [`decode_canonical`] reads deterministic encoding only (RFC 8949 section 4.2.1), as our own formats
//!   need: one value has one encoding, so bytes can be hashed and compared.
//! - [`encode`] writes deterministic encoding.
//! - [`MapReader`] takes typed fields out of a map, and refuses what is left.
//! - [`Writer`] and [`Scanner`] do without a [`Value`] where a message carries megabytes.
//!
//! Values are [`ciborium::Value`]. This crate does no I/O and knows nothing of COSE, of attestation or of
//! any of our formats.
//!
//! Three things that are well-formed CBOR are refused everywhere, since [`Value`] cannot hold them apart from
//! something else, and none of our formats needs them: bignums (tags 2 and 3), `undefined`, and simple
//! values other than `false`, `true` and `null`.
#![forbid(unsafe_code)]

mod decode;
mod encode;
mod error;
mod float;
mod limits;
mod map;
mod scan;
mod write;

pub use ciborium::Value;
pub use decode::{decode, decode_canonical};
pub use encode::encode;
pub use error::CborError;
pub use limits::{HARD_MAX_DEPTH, Limits};
pub use map::{FromValue, Key, MapReader, from_value};
pub use scan::Scanner;
pub use write::Writer;
