//! What the provider needs of the world, as traits: a composition root implements them.

use std::{future::Future, pin::Pin};

use r3e_proto::host::credentials::AwsCredentials;
use zeroize::Zeroizing;

use crate::BoxError;

/// What [`Https::post`] answers.
pub type HttpsFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpsAnswer, HttpsError>> + Send + 'a>>;

/// HTTPS whose TLS ends here. An implementation bounds the time of each request, verifies that the server is `host`
/// under the roots of the policy, and follows no redirect.
pub trait Https: Send + Sync {
    /// Sends `POST /` to `host` and `port` with these headers (names in lower case; `host` and `content-length` are the
    /// implementation's to add) and this body. Returns the whole answer, whatever its status, if its body has at most
    /// `max_bytes`.
    fn post<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        headers: &'a [(String, Zeroizing<String>)],
        body: &'a [u8],
        max_bytes: usize,
    ) -> HttpsFuture<'a>;
}

/// A whole answer.
#[derive(Debug)]
pub struct HttpsAnswer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as text; those that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// The server did not prove that it is the host: trying again would meet the same one.
    #[error("the server did not prove that it is the host")]
    NotTrusted(#[source] BoxError),
    /// The request could not be sent, or its answer not be read, this time.
    #[error("no whole answer came")]
    Failed(#[source] BoxError),
}

/// What [`Credentials::credentials`] answers.
pub type CredentialsFuture<'a> = Pin<Box<dyn Future<Output = Result<AwsCredentials, BoxError>> + Send + 'a>>;

/// The credentials that requests are signed with. They come from the parent, and are worth nothing without a document.
pub trait Credentials: Send + Sync {
    /// The credentials of now.
    fn credentials(&self) -> CredentialsFuture<'_>;
}
