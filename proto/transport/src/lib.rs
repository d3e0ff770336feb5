//! The one seam between parent and enclave.
//!
//! An [`Endpoint`] is a value, read from a configuration or a command line: vsock on hardware, unix sockets
//! everywhere else. The same code runs over both, in both directions:
//!
//! | side | waits for connections | makes connections |
//! |---|---|---|
//! | enclave, [`EnclaveTransport`] | [`listen`](EnclaveTransport::listen) | [`dial_parent`](EnclaveTransport::dial_parent) |
//! | parent, [`ParentTransport`] | [`listen`](ParentTransport::listen) | [`dial_enclave`](ParentTransport::dial_enclave) |
//!
//! Over unix sockets both sides follow the hybrid-vsock convention of Firecracker, so that a guest behind such a
//! socket and a plain process look the same to the parent: the parent connects to `PATH`, sends `CONNECT port\n` and
//! reads `OK n\n`; the enclave connects to `PATH_port`, and no line is exchanged.
//!
//! [`frame`] carries whole messages over any stream. This crate knows nothing of what flows: no TLS, no CBOR, no
//! message type.

#![forbid(unsafe_code)]

mod accept;
mod enclave;
mod endpoint;
mod error;
pub mod frame;
pub mod limits;
mod listener;
mod parent;
mod stream;
mod unix;
mod vsock;
mod vsock_ports;

pub use accept::pause_after;
pub use enclave::EnclaveTransport;
pub use endpoint::{Endpoint, EndpointError, PARENT_CID};
pub use error::TransportError;
pub use listener::Listener;
pub use parent::ParentTransport;
pub use stream::Stream;
