//! Project Wycheproof's vectors against the implementations that the appliance links: one file an algorithm.
//!
//! A vector that is not run is left out by a rule that its file states, and how many ran is checked: a set that a new version of
//! the vectors renames or empties must not pass for one that holds.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod aes_gcm;
mod ed25519;
mod hkdf;
mod p256;
mod secp256k1;
mod x25519;
