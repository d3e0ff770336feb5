//! The seam to the NSM: one request in, one response out, in the device's own types.

use std::sync::Arc;

pub use aws_nitro_enclaves_nsm_api::api::{Digest, ErrorCode, Request, Response};

/// Something that answers NSM requests.
///
/// `process` may block for as long as the hardware takes. The [`Attester`](crate::Attester) calls it
/// from one thread only.
pub trait NsmDriver: Send + Sync + 'static {
    /// Sends one request and waits for the response. Failures are [`Response::Error`].
    fn process(&self, request: Request) -> Response;
}

impl<D: NsmDriver + ?Sized> NsmDriver for Arc<D> {
    fn process(&self, request: Request) -> Response {
        (**self).process(request)
    }
}

impl<D: NsmDriver + ?Sized> NsmDriver for Box<D> {
    fn process(&self, request: Request) -> Response {
        (**self).process(request)
    }
}
