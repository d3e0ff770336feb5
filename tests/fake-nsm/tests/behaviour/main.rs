//! The fake NSM behaves as the hardware does, alone and behind the Attester.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking too")]

mod attester;
mod decoded;
mod device;
mod documents;
