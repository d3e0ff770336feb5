//! Every limit of outbound HTTPS, in one table, each with its reason. The figures of [`crate::FetchLimits`] may be
//! set lower for one call, never higher.

use std::time::Duration;

/// Connections that are open at once: each costs two buffers and a descriptor of the parent.
pub const MAX_CONNECTIONS: usize = 256;

/// Of them, those that are kept for who asks again: half, so that others find room without one having to give way.
pub const MAX_KEPT: usize = 128;
/// And those of one server.
pub const MAX_KEPT_OF_ONE: usize = 32;
/// How long one is kept that nobody uses: servers wait longer, and feeds mostly ask sooner.
pub const MAX_IDLE: Duration = Duration::from_secs(15);
/// How old one may be: a server proves its name once for each.
pub const MAX_CONNECTION_AGE: Duration = Duration::from_mins(5);

/// Names in one allow-list: an operator reads it.
pub const MAX_ALLOWED_HOSTS: usize = 64;
/// A URL: what common servers take.
pub const MAX_URL_BYTES: usize = 8 * 1024;
/// Headers of a request.
pub const MAX_REQUEST_HEADERS: usize = 64;
/// Names and values of a request's headers together.
pub const MAX_REQUEST_HEADER_BYTES: usize = 16 * 1024;
/// Body of a request.
pub const MAX_REQUEST_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Headers of a response.
pub const MAX_RESPONSE_HEADERS: usize = 128;
/// Head of a response: status line and headers.
pub const MAX_RESPONSE_HEADER_BYTES: usize = 64 * 1024;
/// The least that the HTTP library can be told.
pub const MIN_RESPONSE_HEADER_BYTES: usize = 8 * 1024;
/// Body of a response.
pub const MAX_RESPONSE_BODY_BYTES: usize = 8 * 1024 * 1024;

/// From the dial to the parent's reply: the parent resolves and connects, to several addresses if need be.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// The TLS handshake: a few round trips around the world.
pub const TLS_TIMEOUT_MS: u64 = 10_000;
/// From the first byte of the request to the last of the response's head.
pub const HEADER_TIMEOUT_MS: u64 = 30_000;
/// The body of the response, all of it.
pub const BODY_TIMEOUT_MS: u64 = 60_000;

/// Extra root certificates in the measured configuration.
pub const MAX_EXTRA_ROOTS: usize = 16;
