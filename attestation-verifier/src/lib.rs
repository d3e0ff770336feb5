//! Appraises AWS Nitro attestation documents: evidence, reference values and an appraisal policy go in, an
//! [`AttestationResult`] or a typed reason comes out.
//!
//! ```
//! use r3e_attestation::{AppraisalPolicy, ReferenceValues, UnixTime, appraise};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let document = include_bytes!("../vectors/r14_base_2024-11-30_pk65.bin");
//! # let inspection = r3e_attestation::inspect(document)?;
//! # let pcr = |index: u8| *inspection.pcrs().get(&index).expect("r14 has it");
//! let release = ReferenceValues::new("1.4.0", pcr(0), pcr(1), pcr(2))?;
//! let policy = AppraisalPolicy::builder().accept_release(release).build()?;
//! let result = appraise(document, &policy, UnixTime::from_secs(1_732_983_800))?;
//! assert_eq!(result.matched_release(), Some("1.4.0"));
//! # Ok(())
//! # }
//! ```
//!
//! # What is checked, in this order
//!
//! 1. **Form**: a `COSE_Sign1` of ES384 with the exact protected header, and a payload with the fields of the
//!    Nitro Secure Module's specification, all in strict, bounded CBOR.
//! 2. **Chain**: the first certificate of the bundle is the pinned root, byte for byte; each further one is
//!    issued and signed by the one before it, by ES384 on P-384; RFC 5280's CA, path length and key usage rules.
//! 3. **Signature** of the document by the leaf's key.
//! 4. **Time**: every certificate is valid at the time of appraisal, and the document is neither from the
//!    future nor older than the policy allows. Both within the clock skew.
//! 5. **Debug**: refused, unless the policy asks for it by name.
//! 6. **PCRs**: those that the policy requires, and those of at least one accepted release.
//! 7. **Bindings**: `nonce`, `user_data` and `public_key`, where the policy expects them.
//!
//! The first failure ends the appraisal. Content is looked at only once it is authenticated, so a forger
//! learns nothing but "not signed", and a reason such as `pcr_mismatch` speaks of a genuine document.
//!
//! Fail-closed: a policy that does not pin the image cannot be built ([`PolicyError::NoPolicy`]); a payload
//! field that the specification does not have is refused, since its meaning is unknown.
//!
//! Whoever appraises many documents of the same enclaves keeps a [`ChainCache`] and calls [`appraise_with`].
//!
//! # What it knows nothing of
//!
//! No I/O, no clock, no randomness, no async, no network: revocation lists are not fetched. It knows nothing of
//! sessions, and nothing of what `user_data` means.
#![forbid(unsafe_code)]

mod anchor;
mod appraise;
mod certificate;
mod chain;
mod chain_cache;
mod cose;
mod document;
mod error;
mod inspect;
mod limits;
mod policy;
mod reference;
mod reference_file;
mod result;
mod signature;
mod time;

pub use anchor::{RootKind, TrustAnchor, UnsafeTestRoot};
pub use appraise::{appraise, appraise_with};
pub use chain_cache::ChainCache;
pub use error::{AppraisalError, ChainProblem, Malformed, PolicyError};
pub use inspect::{CertificateContent, CertificateSummary, Inspection, inspect};
pub use limits::MAX_DOCUMENT_BYTES;
pub use policy::{AppraisalPolicy, AppraisalPolicyBuilder};
pub use reference::{MAX_PCR_INDEX, Pcr, ReferenceValues};
pub use reference_file::parse_reference_values;
pub use result::AttestationResult;
pub use time::UnixTime;
