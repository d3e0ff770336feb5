//! Why a fetch did not give a response. Each has a stable code, which functions see.

use std::{error::Error, fmt, io};

use r3e_proto::{WireError, host::egress::RefusalCode};
use r3e_transport::{TransportError, frame::FrameError};

/// A part of a fetch that has its own time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The parent resolves and connects.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The request goes out and the head of the response comes in.
    Head,
    /// The body of the response comes in.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Head => "waiting for the response",
            Self::Body => "reading the body",
        })
    }
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL cannot be used.
    #[error("the URL cannot be used: {rule}")]
    Url {
        /// The rule it broke.
        rule: &'static str,
    },
    /// The URL names an address, or a name that is not public.
    #[error("the host {host:?} is not a public DNS name")]
    HostNotPublic {
        /// The host as it stands in the URL.
        host: String,
    },
    /// The host and port are not on the list.
    #[error("{host}:{port} is not allowed; grant it to the function first")]
    HostNotAllowed {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// A method that cannot be used.
    #[error("the method cannot be used: GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS can")]
    Method,
    /// A header that the connection itself must set.
    #[error("the header {name:?} is not the caller's to set")]
    ForbiddenHeader {
        /// Its name.
        name: String,
    },
    /// A header that is not of HTTP's form.
    #[error("a header's name or value is not of HTTP's form")]
    Header,
    /// Something of the request is over its limit.
    #[error("{what} is over the limit of {limit}")]
    RequestTooLarge {
        /// What was too large.
        what: &'static str,
        /// The limit, in bytes or in items as `what` says.
        limit: usize,
    },
    /// Too many connections are open.
    #[error("too many connections are open; try again after a pause")]
    Busy,
    /// The parent's egress proxy cannot be used now.
    #[error("the parent's egress proxy does not answer; try again")]
    Parent(#[source] TunnelError),
    /// The parent did not connect.
    #[error("the parent did not connect: {code:?}")]
    Refused {
        /// Why, as the parent says.
        code: RefusalCode,
        /// The parent's words, for the log alone.
        message: String,
    },
    /// The peer did not prove that it is the host: a wrong name, an unknown authority, an expired certificate.
    #[error("the server did not prove that it is the host in the URL")]
    Certificate(#[source] io::Error),
    /// The TLS handshake failed otherwise.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// A time limit was reached.
    #[error("the time for {phase} is up: {timeout_ms} ms")]
    TimedOut {
        /// What took so long.
        phase: Phase,
        /// Its limit.
        timeout_ms: u64,
    },
    /// The head of the response is over its limit.
    #[error("the response's head is over the limit of {limit_bytes} bytes or has too many headers")]
    HeadTooLarge {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// The body of the response is over its limit.
    #[error("the response's body is over the limit of {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit_bytes: usize,
    },
    /// The connection ended before the response was whole, or did not carry HTTP/1.1.
    #[error("the response was cut short or is not HTTP/1.1")]
    Http(#[source] hyper::Error),
}

impl FetchError {
    /// A short name of the reason, which never changes: functions and scripts may decide by it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "invalid_url",
            Self::HostNotPublic { .. } => "host_not_public",
            Self::HostNotAllowed { .. } => "host_not_allowed",
            Self::Method => "invalid_method",
            Self::ForbiddenHeader { .. } => "forbidden_header",
            Self::Header => "invalid_header",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::Busy => "busy",
            Self::Parent(_) => "egress_unavailable",
            Self::Refused { .. } => "connection_refused",
            Self::Certificate(_) => "certificate",
            Self::Tls(_) => "tls",
            Self::TimedOut { .. } => "timeout",
            Self::HeadTooLarge { .. } => "response_head_too_large",
            Self::BodyTooLarge { .. } => "response_body_too_large",
            Self::Http(_) => "protocol",
        }
    }

    /// Sorts the error of a TLS handshake: by what rustls found, where it found something.
    pub(crate) fn of_handshake(error: io::Error) -> Self {
        let found = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match found {
            Some(
                rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::UnsupportedNameType
                | rustls::Error::FailedToGetCurrentTime,
            ) => Self::Certificate(error),
            _ => Self::Tls(error),
        }
    }

    /// Sorts an error of the HTTP library before the response's head is there.
    pub(crate) fn of_head(error: hyper::Error, limit_bytes: usize) -> Self {
        if error.is_parse_too_large() { Self::HeadTooLarge { limit_bytes } } else { Self::Http(error) }
    }
}

/// Why the parent's egress proxy could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// No connection could be made.
    #[error("no connection to the parent")]
    Dial(#[from] TransportError),
    /// The stream did not carry whole frames.
    #[error("the parent's frames ended or are broken")]
    Frame(#[from] FrameError),
    /// A frame did not carry a reply.
    #[error("the parent's reply is malformed")]
    Message(#[from] WireError),
}

/// Why a set of roots cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// A certificate of the configuration cannot be a root.
    #[error("extra root {index} is not a certificate that can be trusted as a root")]
    Certificate {
        /// Which one, from 0.
        index: usize,
        /// The reason.
        #[source]
        source: rustls::Error,
    },
    /// More than [`crate::limits::MAX_EXTRA_ROOTS`].
    #[error("{count} extra roots, where at most {limit} are taken")]
    TooMany {
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The TLS library has none of the protocol versions asked for.
    #[error("the TLS library does not support the protocol versions")]
    Library(#[source] Box<dyn Error + Send + Sync>),
}
