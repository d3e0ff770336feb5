//! Why there is no session with a peer, or why a request on one failed.

use r3e_attestation::AppraisalError;
use r3e_proto::WireError;
use r3e_proto::channel::evidence::BindingError;
use r3e_transport::frame::FrameError;
use thiserror::Error;

/// Why there is no session with a peer, or why a request on one failed. After any of them the session is of no more use.
#[derive(Debug, Error)]
pub(crate) enum PeerError {
    /// The name cannot stand in a TLS handshake.
    #[error("the peer's name is no DNS name")]
    Name,
    /// TLS.
    #[error("TLS with the peer: {0}")]
    Tls(#[from] rustls::Error),
    /// It speaks TLS, and not the attested channel.
    #[error("the peer does not speak the attested channel (ALPN r3e/1)")]
    NotAnAppliance,
    /// It was too slow.
    #[error("the peer took too long for {awaited}")]
    Timeout {
        /// What was waited for.
        awaited: &'static str,
    },
    /// The stream.
    #[error("the stream to the peer broke during {during}: {source}")]
    Io {
        /// What was under way.
        during: &'static str,
        /// The stream's error.
        source: std::io::Error,
    },
    /// The frame with its evidence.
    #[error("the peer's evidence did not come whole: {0}")]
    Frame(#[from] FrameError),
    /// What came is no evidence.
    #[error("what the peer sent is no evidence: {0}")]
    Evidence(#[from] WireError),
    /// It has none now.
    #[error("the peer has no evidence now: {0}")]
    Unavailable(String),
    /// Its document does not satisfy the policy.
    #[error("the peer's attestation does not hold: {0}")]
    Appraisal(#[from] AppraisalError),
    /// It runs in debug mode, where its memory is open to whoever runs it.
    #[error("the peer runs in debug mode")]
    Debug,
    /// Its document is another session's.
    #[error("the peer's evidence is for another session: {0}")]
    OtherSession(#[from] BindingError),
    /// Its document names another HPKE key than its evidence.
    #[error("the peer's document names another HPKE key than its evidence")]
    HpkeKey,
    /// PCR16 of its document does not measure the configuration that its evidence names.
    #[error("the peer did not measure the configuration that its evidence names")]
    Configuration,
    /// HTTP.
    #[error("HTTP with the peer: {0}")]
    Http(#[from] hyper::Error),
    /// A request that cannot be made.
    #[error("the request cannot be made: {0}")]
    Request(#[from] http::Error),
    /// An answer over the limit.
    #[error("the peer's answer has more than {0} bytes")]
    AnswerTooLong(usize),
    /// The cryptographic library gives no random bytes.
    #[error("no random bytes for the nonce")]
    Random,
}
