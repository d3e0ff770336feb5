//! Outbound HTTPS of the enclave. The parent resolves and connects; TLS ends here.
//!
//! ```text
//! Request --HostAllowList--> tunnel through the parent --rustls, trusted time--> HTTP/1.1, bounded --> Response
//! ```
//!
//! What the parent can do is to refuse, to delay, to cut, and to see host names and sizes. It cannot read, change or
//! answer: a peer that does not prove the name in the URL, under a root of [`TrustRoots`], at the time of
//! [`TrustedClock`], gets no byte of the request. Revocation is not checked: it would be the parent that answers.
//!
//! Redirects are returned, never followed: where one leads is for the caller to allow. This crate knows nothing of
//! tenants, of functions or of permissions but the list it is given.

#![forbid(unsafe_code)]

mod allow;
mod clock;
mod error;
mod exchange;
mod fetch;
mod host;
mod kept;
pub mod limits;
mod request;
mod roots;
mod tunnel;

pub use allow::HostAllowList;
pub use clock::TrustedClock;
pub use error::{FetchError, Phase, RootsError, TunnelError};
pub use fetch::{Egress, FetchLimits};
pub use request::{Request, Response};
pub use roots::TrustRoots;
pub use tunnel::open as open_tunnel;
