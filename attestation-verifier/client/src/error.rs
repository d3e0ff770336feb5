//! What can go wrong between a client and an appliance, each with a stable code. An error's text does not repeat its
//! source's: print the chain.

use std::fmt;
use std::io;

use r3e_attestation::AppraisalError;
use r3e_proto::WireError;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::modules::CodeError;
use r3e_proto::channel::binding::Digest;
use r3e_proto::channel::evidence::BindingError;
use thiserror::Error;

use crate::address::Address;
use crate::appliances::{Appliance, ApplianceMemoryError};
use crate::invocation::ReceiptMismatch;
use crate::sequences::SequenceError;

/// Why the client has no result. [`ClientError::code`] is stable; the text is for a person, and so is
/// [`ClientError::advice`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No TCP connection.
    #[error("could not connect to {address}")]
    Connect {
        /// Where to.
        address: Address,
        /// Why not.
        source: io::Error,
    },
    /// The other end took too long.
    #[error("{awaited} took longer than {limit_ms} ms")]
    Timeout {
        /// What was awaited.
        awaited: &'static str,
        /// How long.
        limit_ms: u64,
    },
    /// The connection broke.
    #[error("the connection broke during {during}")]
    Transport {
        /// During what.
        during: &'static str,
        /// Why.
        source: io::Error,
    },
    /// An earlier failure closed this channel.
    #[error("this channel is closed")]
    Closed,
    /// The handshake failed.
    #[error("the TLS handshake failed")]
    Tls(#[source] rustls::Error),
    /// Something else than an appliance is there.
    #[error("not an R3E endpoint: {0}")]
    NotR3e(NotR3e),
    /// The machine's random generator gave nothing.
    #[error("the random generator of this machine failed: no nonce, so no connection")]
    Random,

    /// The appliance has no Evidence for us now.
    #[error("the appliance has no evidence to give now: {why}")]
    EvidenceUnavailable {
        /// The appliance's words.
        why: String,
    },
    /// The connection ended where Evidence was due.
    #[error("the server closed the connection without giving evidence")]
    NoEvidence,
    /// A frame beyond what Evidence can be.
    #[error("the server announced {bytes} bytes of evidence, which has 1 to {max}")]
    EvidenceSize {
        /// What was announced.
        bytes: u64,
        /// The limit.
        max: usize,
    },
    /// Bytes that are not Evidence.
    #[error("the server's evidence is malformed")]
    EvidenceMalformed(#[source] WireError),
    /// The document was refused.
    #[error("the attestation was refused")]
    Appraisal(#[source] AppraisalError),
    /// The document is acceptable, but was not made for this session.
    #[error("the evidence does not belong to this session")]
    OtherSession(#[source] BindingError),
    /// The configuration is not the one that PCR16 measured.
    #[error("the configuration that the appliance names is not the one that PCR16 measured")]
    ConfigurationMismatch,
    /// The configuration was measured, and is not the one that the policy pins.
    #[error(
        "the appliance runs another configuration than the one that is pinned: {} is pinned, and it runs {}",
        Hex(pinned.as_slice()),
        Hex(found.as_slice())
    )]
    OtherConfiguration {
        /// SHA-384 of the one that is pinned.
        pinned: Box<Digest>,
        /// SHA-384 of the one that it runs.
        found: Box<Digest>,
    },
    /// The HPKE key is not the document's.
    #[error("the HPKE key that the appliance names is not the one in its attestation document")]
    HpkeKeyMismatch,
    /// The report key is not attested as this appliance's.
    #[error("the key that signs receipts is not attested as this appliance's")]
    ReportKey(#[source] ReportKeyProblem),

    /// The unlock policy that the appliance names is not the one that PCR17 measured.
    #[error("the unlock policy that the appliance names is not the one that PCR17 measured")]
    UnlockPolicy,
    /// Something else than a quorum unlocks the appliance.
    #[error("the appliance is unlocked by {provider}, not by a quorum")]
    NotAQuorum {
        /// By what.
        provider: String,
    },
    /// The quorum's setup does not hold.
    #[error("the setup of the quorum was refused")]
    Setup(#[source] SetupProblem),
    /// The key is no member's of the measured quorum.
    #[error("this key is not a member's of the quorum that the appliance measures")]
    NotAMember,

    /// The appliance answered with an error.
    #[error("{message} ({code}, HTTP {status})")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The API's stable code.
        code: String,
        /// For a person.
        message: String,
    },
    /// The appliance's answer is not of the API's form.
    #[error("the answer to {request} is not what the API promises: {why}")]
    Answer {
        /// The request.
        request: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The receipt does not hold for what was sent and received.
    #[error("the receipt does not hold")]
    Receipt(#[from] ReceiptMismatch),
    /// The API key is another tenant's than its owner says.
    #[error("the API key is of the tenant {found}, not of {expected}")]
    OtherTenant {
        /// Whose it was said to be.
        expected: TenantId,
        /// Whose the appliance says it is.
        found: TenantId,
    },
    /// The appliance's state is older than one that this client has seen.
    #[error(
        "the appliance's state was rolled back: its sequence number is {now}, and this client has seen {seen} already"
    )]
    RolledBack {
        /// The highest number seen.
        seen: u64,
        /// The number now.
        now: u64,
    },
    /// Another appliance than the one that is known at the address.
    #[error(
        "another appliance is there than the one that was: {} with the report key {} was accepted there before, and it is {} \
         with {} now",
        Hex(&known.identity),
        Hex(&known.report_key),
        Hex(&found.identity),
        Hex(&found.report_key)
    )]
    OtherAppliance {
        /// The one that is known.
        known: Box<Appliance>,
        /// The one that is there.
        found: Box<Appliance>,
    },
    /// Another appliance than the one that the policy pins.
    #[error("the appliance is {}, and {} is the one that is pinned", Hex(found), Hex(pinned))]
    OtherIdentity {
        /// The identity that is pinned.
        pinned: [u8; 32],
        /// The identity that it has.
        found: [u8; 32],
    },
    /// Which appliance is where could not be read or kept.
    #[error(transparent)]
    Appliances(#[from] ApplianceMemoryError),
    /// The highest sequence number seen could not be read or kept.
    #[error("the memory of sequence numbers failed")]
    Sequence(#[from] SequenceError),
    /// A function's code that the API does not take; nothing was sent.
    #[error("not a function's code")]
    Code(#[from] CodeError),
    /// A name or an id that the API does not take; nothing was sent.
    #[error("{text:?} is not {what}: {rule}")]
    Input {
        /// What it should be.
        what: &'static str,
        /// What it is.
        text: String,
        /// The rule.
        rule: &'static str,
    },
}

/// What shows that no appliance is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotR3e {
    /// The handshake succeeded without ALPN.
    #[error("the TLS server chose no application protocol, so it does not speak r3e/1")]
    NoProtocol,
    /// The server speaks other protocols.
    #[error("the TLS server does not speak r3e/1")]
    OtherProtocol,
    /// TLS 1.2 or older.
    #[error("the server does not speak TLS 1.3")]
    OldTls,
    /// Not TLS.
    #[error("the server does not speak TLS")]
    NotTls,
}

/// Why a report key was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportKeyProblem {
    /// The document was refused.
    #[error("its document was refused")]
    Appraisal(#[source] AppraisalError),
    /// The document says something else.
    #[error("its document attests something else than this key")]
    OtherStatement,
    /// The document is another enclave's.
    #[error("its document was made by another enclave, or one with another configuration")]
    OtherAppliance,
}

/// Why a quorum's setup was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupProblem {
    /// It is none.
    #[error("it is malformed")]
    Malformed(#[source] WireError),
    /// Its document was refused.
    #[error("its document was refused")]
    Appraisal(#[source] AppraisalError),
    /// Its document says something else.
    #[error("its document attests something else than this setup: no enclave made it so")]
    OtherStatement,
    /// It was made for others.
    #[error("it was made for another quorum than the one that is measured now")]
    OtherQuorum,
    /// The member's share does not open, or is another.
    #[error("this member's share in it does not open with this key, or is not the one that it names")]
    Share,
}

/// Where an error belongs, for a program that acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// There is no channel: nothing was refused, and trying again may help.
    Connection,
    /// What the other end showed was refused by this client: trying again does not help.
    Attestation,
    /// The appliance refused the request, or answered out of form.
    Refused,
    /// This machine: its files, its input.
    Local,
}

/// Bytes as lower-case hex.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl ClientError {
    /// A stable code; the appraisal's or the API's own where one of them refused.
    pub fn code(&self) -> &str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Timeout { .. } => "timeout",
            Self::Transport { .. } => "transport",
            Self::Closed => "closed",
            Self::Tls(_) => "tls",
            Self::NotR3e(_) => "not_r3e",
            Self::Random => "random",
            Self::EvidenceUnavailable { .. } => "evidence_unavailable",
            Self::NoEvidence => "no_evidence",
            Self::EvidenceSize { .. } | Self::EvidenceMalformed(_) => "evidence_malformed",
            Self::Appraisal(reason) => reason.code(),
            Self::OtherSession(_) => "other_session",
            Self::ConfigurationMismatch => "configuration_mismatch",
            Self::OtherConfiguration { .. } => "other_configuration",
            Self::HpkeKeyMismatch => "hpke_key_mismatch",
            Self::ReportKey(_) => "report_key",
            Self::UnlockPolicy => "unlock_policy",
            Self::NotAQuorum { .. } => "not_a_quorum",
            Self::Setup(_) => "unlock_setup",
            Self::NotAMember => "not_a_member",
            Self::Api { code, .. } => code,
            Self::Answer { .. } => "answer",
            Self::Receipt(_) => "receipt",
            Self::OtherTenant { .. } => "other_tenant",
            Self::RolledBack { .. } => "rolled_back",
            Self::OtherAppliance { .. } => "other_appliance",
            Self::OtherIdentity { .. } => "other_identity",
            Self::Appliances(_) => "appliance_memory",
            Self::Sequence(_) => "sequence_memory",
            Self::Input { .. } | Self::Code(_) => "input",
        }
    }

    /// What to do next, where there is something to do.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Connect { .. } => "Is the parent running there, and is the address right?",
            Self::Timeout { .. } | Self::Transport { .. } => {
                "Try again; if it stays so, look at the parent's log."
            }
            Self::Closed => "Connect again, which attests again.",
            Self::NotR3e(_) => "Check the address and the port.",
            Self::NoEvidence | Self::EvidenceUnavailable { .. } => "Try again in a moment.",
            Self::Appraisal(AppraisalError::PcrMismatch { .. }) => {
                "Compare the image with the release you expect: another image, or another release, runs there."
            }
            Self::Appraisal(AppraisalError::UntrustedRoot { .. }) => {
                "A local run needs its test root, trusted by an explicit option; anything else is not a Nitro enclave."
            }
            Self::OtherSession(_) => {
                "Somebody may stand between you and the appliance. Do not use this address until you know why."
            }
            Self::OtherConfiguration { .. } => {
                "Another operator may run there, or the operator changed the configuration. Read the one that runs before \
                 you pin it."
            }
            Self::ConfigurationMismatch | Self::HpkeKeyMismatch | Self::ReportKey(_) | Self::Receipt(_) => {
                "Do not use this appliance until you know why."
            }
            Self::UnlockPolicy | Self::Setup(_) => {
                "Do not approve. Whoever runs the parent may have put it there; compare it with what the other members know."
            }
            Self::NotAMember => {
                "Use the key file whose public halves stand in the appliance's configuration."
            }
            Self::Api { code, .. } if code == r3e_proto::api::codes::LOCKED => {
                "Members of its quorum must approve first: `r3e operator status` shows how far they are."
            }
            Self::OtherAppliance { .. } | Self::OtherIdentity { .. } => {
                "Its parent may have begun a new, empty appliance in the place of the one you know. Ask its operator, on another \
                 way, for the identity; pin the new one only if it is meant to be there."
            }
            Self::Api { code, .. }
                if [r3e_proto::api::codes::HANDING_OVER, r3e_proto::api::codes::SUPERSEDED]
                    .contains(&code.as_str()) =>
            {
                "Nothing was done. Send it again in a second: the appliance goes over to its successor, which is attested anew."
            }
            Self::OtherTenant { .. } => "Log in again: the saved API key is not that tenant's.",
            Self::Answer { .. } => "Client and appliance may be of two releases.",
            Self::RolledBack { .. } => {
                "The parent gave the appliance an older copy of its store. If its owner restored a backup on purpose, \
                 accept that state once, explicitly."
            }
            _ => return None,
        })
    }

    /// Where the error belongs.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Transport { .. }
            | Self::Closed
            | Self::Tls(_)
            | Self::NotR3e(_)
            | Self::EvidenceUnavailable { .. }
            | Self::NoEvidence => ErrorClass::Connection,
            Self::EvidenceSize { .. }
            | Self::EvidenceMalformed(_)
            | Self::Appraisal(_)
            | Self::OtherSession(_)
            | Self::ConfigurationMismatch
            | Self::OtherConfiguration { .. }
            | Self::HpkeKeyMismatch
            | Self::ReportKey(_)
            | Self::UnlockPolicy
            | Self::Setup(_)
            | Self::Receipt(_)
            | Self::OtherTenant { .. }
            | Self::OtherAppliance { .. }
            | Self::OtherIdentity { .. }
            | Self::RolledBack { .. } => ErrorClass::Attestation,
            Self::Api { .. } | Self::Answer { .. } | Self::NotAQuorum { .. } => ErrorClass::Refused,
            Self::Random
            | Self::Appliances(_)
            | Self::Sequence(_)
            | Self::Input { .. }
            | Self::Code(_)
            | Self::NotAMember => ErrorClass::Local,
        }
    }
}
