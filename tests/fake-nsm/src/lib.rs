//! A Nitro Secure Module in software, for tests alone.
//!
//! [`FakeNsm`] answers the NSM's own requests with the NSM's own responses: it keeps PCRs as the
//! hardware does, and signs attestation documents of the hardware's form under a chain of the
//! hardware's shape. The chain ends in a test root, made once for a state folder, which a Verifier
//! must be told to trust by name.
//!
//! For attacks there is more than a device would do: [`FakeNsm::document_spec`] gives the parts of
//! the document it would sign, and [`FakeNsm::sign_document`] signs whatever was made of them.
//! [`TestRoot::issue`] makes chains of any date below any root.
//!
//! Nothing that is measured links this crate. It reads the machine's clock, which no code in an
//! enclave may do: here it plays the hypervisor.

#![forbid(unsafe_code)]

mod chain;
mod config;
mod document;
mod error;
mod limits;
mod names;
mod nsm;
mod pcr;
mod root;

pub use chain::{ChainSpec, SigningChain};
pub use config::FakeNsmConfig;
pub use document::{DocumentSpec, MapForm, PROTECTED_ES384, cose_sign1, sig_structure};
pub use error::FakeNsmError;
pub use names::Names;
pub use nsm::FakeNsm;
pub use pcr::{FIXED_PCRS, MAX_PCRS, PCR_BYTES, measured};
pub use root::TestRoot;
