//! Why evidence is refused, and why a policy cannot be built.
//!
//! Two enums, since they say different things: [`AppraisalError`] judges the sender's document,
//! [`PolicyError`] the verifier's own settings.

use r3e_cbor::CborError;
use thiserror::Error;

use crate::UnixTime;

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppraisalError {
    /// It does not have the form of an attestation document.
    #[error("this is not a well-formed attestation document")]
    Malformed(#[from] Malformed),
    /// Something is signed, or a key made, with another algorithm than ES384 on P-384.
    #[error("{what} does not use ES384 with a P-384 key, the only algorithm that Nitro documents use")]
    Algorithm {
        /// What uses another algorithm.
        what: String,
    },
    /// The first certificate of the bundle is not the pinned root.
    #[error(
        "the chain starts at a root with SHA-256 {sha256}, not at the pinned root; \
         a test root must be trusted by an explicit option"
    )]
    UntrustedRoot {
        /// SHA-256 of the certificate that the document brings, in hex.
        sha256: String,
    },
    /// A certificate breaks the rules for chains.
    #[error("certificate {position} of the chain (0 is the root) breaks a rule")]
    Chain {
        /// Which certificate, counted from the root, which is 0.
        position: usize,
        /// Which rule.
        #[source]
        problem: ChainProblem,
    },
    /// The leaf's key did not sign the document.
    #[error("the signature of the document does not verify: it was forged or altered")]
    Signature,
    /// A certificate is no longer valid at the time of appraisal.
    #[error(
        "certificate {position} of the chain (0 is the root) expired at {not_after}, and the time of appraisal \
         is {at}; ask for a fresh document, or appraise it at its own time"
    )]
    Expired {
        /// Which certificate, counted from the root, which is 0.
        position: usize,
        /// The end of its validity.
        not_after: UnixTime,
        /// The time of appraisal.
        at: UnixTime,
    },
    /// A certificate is not valid yet at the time of appraisal.
    #[error(
        "certificate {position} of the chain (0 is the root) is valid from {not_before} on, and the time of \
         appraisal is {at}; check the clock"
    )]
    NotYetValid {
        /// Which certificate, counted from the root, which is 0.
        position: usize,
        /// The start of its validity.
        not_before: UnixTime,
        /// The time of appraisal.
        at: UnixTime,
    },
    /// The document's own timestamp lies after the time of appraisal.
    #[error("the document was made at {timestamp}, after the time of appraisal, {at}; check the clock")]
    FromTheFuture {
        /// The document's timestamp.
        timestamp: UnixTime,
        /// The time of appraisal.
        at: UnixTime,
    },
    /// The document is older than the policy allows.
    #[error(
        "the document is {age_ms} ms old, and the policy allows {max_age_ms} ms; ask for a fresh document"
    )]
    TooOld {
        /// The document's age in milliseconds.
        age_ms: u64,
        /// The policy's maximum in milliseconds.
        max_age_ms: u64,
    },
    /// The enclave runs in debug mode: its memory and console are open to the parent instance.
    #[error(
        "the enclave runs in debug mode (PCR0, PCR1 and PCR2 are zero): whoever runs it can read its memory"
    )]
    Debug,
    /// The measurements are not those of an accepted release, or not those that the policy requires.
    #[error("{}", mismatch(.release.as_deref(), .indices))]
    PcrMismatch {
        /// The accepted release that differs least; `None`, if required PCRs differ.
        release: Option<String>,
        /// The indices of the PCRs that differ or are absent, rising.
        indices: Vec<u8>,
    },
    /// The nonce is not the expected one: the document may be a replay.
    #[error("the nonce is not the expected one: the document was made for another request")]
    Nonce,
    /// The user data is not the expected one.
    #[error("the user data is not the expected one: the document vouches for something else")]
    UserData,
    /// The public key is not the expected one.
    #[error("the public key is not the expected one: the document vouches for another key")]
    PublicKey,
}

impl AppraisalError {
    /// A stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Algorithm { .. } => "algorithm",
            Self::UntrustedRoot { .. } => "untrusted_root",
            Self::Chain { .. } => "chain",
            Self::Signature => "signature",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::TooOld { .. } => "too_old",
            Self::Debug => "debug",
            Self::PcrMismatch { .. } => "pcr_mismatch",
            Self::Nonce => "nonce",
            Self::UserData => "user_data",
            Self::PublicKey => "public_key",
        }
    }

    /// Whether the document was seen to be authentic before it was refused: the chain led to the trusted root,
    /// and the signature held. If not, nothing that it says is worth anything.
    pub const fn document_is_authentic(&self) -> bool {
        !matches!(
            self,
            Self::Malformed(_)
                | Self::Algorithm { .. }
                | Self::UntrustedRoot { .. }
                | Self::Chain { .. }
                | Self::Signature
        )
    }
}

/// What is wrong with the form of a document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The CBOR of a part was refused.
    #[error("the {part} cannot be read")]
    Cbor {
        /// Which part.
        part: &'static str,
        /// Why.
        #[source]
        reason: CborError,
    },
    /// A part breaks a rule of the specification.
    #[error("{rule}")]
    Rule {
        /// The rule, in words.
        rule: &'static str,
    },
    /// A certificate is not in the form that the chain must have.
    #[error("certificate {position} of the chain (0 is the root) cannot be read: {what}")]
    Certificate {
        /// Which certificate, counted from the root, which is 0.
        position: usize,
        /// What is wrong.
        what: String,
    },
}

/// Which rule for certificate chains is broken (RFC 5280, and ours).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainProblem {
    /// More certificates than any real chain has.
    #[error("the bundle holds {len} certificates, more than the {max} allowed")]
    TooLong {
        /// How many there are.
        len: usize,
        /// How many may be.
        max: usize,
    },
    /// A certificate below the root issued itself: no certificate of this PKI does, and the count of the path
    /// length would pass over it (RFC 5280 section 4.2.1.9).
    #[error("it is below the root, and its issuer is its own subject")]
    SelfIssued,
    /// The issuer's name is not the subject of the certificate above.
    #[error("its issuer is not the subject of the certificate above it")]
    IssuerMismatch,
    /// The key of the certificate above did not sign it.
    #[error("it was not signed by the key of the certificate above it")]
    BadSignature,
    /// It issued another certificate, but is no CA.
    #[error("it issued a certificate, but is not marked as a CA")]
    NotCa,
    /// More CAs follow below it than its path length allows.
    #[error("its path length is {allowed}, and {below} CA certificates follow below it")]
    PathTooLong {
        /// What it allows.
        allowed: u8,
        /// How many CA certificates follow.
        below: usize,
    },
    /// It issued another certificate, but may not sign certificates.
    #[error("it issued a certificate, but its key usage lacks keyCertSign")]
    NoCertSign,
    /// The leaf may not sign documents.
    #[error("it signs the document, but its key usage lacks digitalSignature")]
    NoDigitalSignature,
    /// The leaf is a CA.
    #[error("it signs the document, but is marked as a CA")]
    LeafIsCa,
    /// An extension is critical and unknown, so the certificate must not be used (RFC 5280 section 4.2).
    #[error("its critical extension {oid} is unknown")]
    UnknownCriticalExtension {
        /// The extension's object identifier.
        oid: String,
    },
}

/// Why a policy, or a part of it, cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy would accept any image.
    #[error(
        "no reference value pins the image: name at least one release, or require PCR0, or PCR1 and PCR2; \
         without them any image at all would be accepted"
    )]
    NoPolicy,
    /// A PCR index is out of range.
    #[error("there is no PCR{index}: the indices are 0 to 31")]
    PcrIndex {
        /// The index.
        index: u8,
    },
    /// Two different values are required of one PCR.
    #[error("two different values are required of PCR{index}")]
    PcrConflict {
        /// The index.
        index: u8,
    },
    /// The name of a release cannot be used.
    #[error("the name of a release must have 1 to 128 bytes without control characters, and be used once")]
    ReleaseName,
    /// Too many releases.
    #[error("more than {max} releases")]
    TooManyReleases {
        /// How many may be.
        max: usize,
    },
    /// A file of reference values cannot be read.
    #[error("the reference values are not usable: {what}")]
    ReferenceFile {
        /// What is wrong, and where.
        what: String,
    },
    /// A test root cannot be used.
    #[error("the test root is not usable: {what}")]
    TestRoot {
        /// What is wrong.
        what: String,
    },
}

impl PolicyError {
    /// A stable code for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPolicy => "no_policy",
            Self::PcrIndex { .. } | Self::PcrConflict { .. } => "bad_pcr",
            Self::ReleaseName | Self::TooManyReleases { .. } | Self::ReferenceFile { .. } => {
                "bad_reference_values"
            }
            Self::TestRoot { .. } => "bad_test_root",
        }
    }
}

fn mismatch(release: Option<&str>, indices: &[u8]) -> String {
    let list = indices.iter().map(|index| format!("PCR{index}")).collect::<Vec<_>>().join(", ");
    match release {
        Some(release) => {
            format!("the image is not an accepted release; it differs least from {release:?}, in {list}")
        }
        None => format!("the required values differ in {list}"),
    }
}
