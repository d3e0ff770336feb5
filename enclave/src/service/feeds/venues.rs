//! Venues as they are asked: HTTPS through the parent, ended here; no redirect is followed, and nothing of this machine's network reached.

use bytes::Bytes;
use r3e_egress::{Egress, FetchError, FetchLimits, HostAllowList, Request};
use r3e_feeds::{BoxFuture, Web};

/// HTTP's status of an answer that is one.
const OK: u16 = 200;
/// Some venues answer nobody who does not say what they are.
const HEADERS: [(&str, &[u8]); 2] = [("accept", b"application/json"), ("user-agent", b"r3e-oracle/1")];

/// The way to venues.
pub(super) struct Venues(Egress);

impl Venues {
    /// Connections are kept, whichever feeds ask: all that is asked is public, and asked again.
    pub(super) fn new(egress: Egress) -> Self {
        Self(egress.keeping())
    }

    async fn fetch(&self, url: &str, max_bytes: usize, timeout_ms: u64) -> Result<Bytes, String> {
        let (request, allowed) = prepared(url).map_err(|error| told(&error))?;
        let limits = FetchLimits {
            connect_timeout_ms: timeout_ms,
            tls_timeout_ms: timeout_ms,
            header_timeout_ms: timeout_ms,
            body_timeout_ms: timeout_ms,
            max_response_bytes: max_bytes,
            ..FetchLimits::default()
        };
        let response = self.0.fetch(request, &allowed, &limits).await.map_err(|error| told(&error))?;
        match response.status {
            OK => Ok(response.body),
            status @ 300..=399 => {
                Err(format!("it answered with {status}, a redirect, which is not followed"))
            }
            status => Err(format!("it answered with {status}")),
        }
    }
}

impl Web for Venues {
    fn check(&self, url: &str) -> Result<(), String> {
        prepared(url).map(drop).map_err(|error| error.to_string())
    }

    fn get<'a>(
        &'a self,
        url: &'a str,
        max_bytes: usize,
        timeout_ms: u64,
    ) -> BoxFuture<'a, Result<Bytes, String>> {
        Box::pin(self.fetch(url, max_bytes, timeout_ms))
    }
}

/// A request, and the one host that it may go to.
fn prepared(url: &str) -> Result<(Request, HostAllowList), FetchError> {
    let request = Request::parse("GET", url, HEADERS, Bytes::new())?;
    let pattern = format!("{}:{}", request.host(), request.port());
    Ok((request, HostAllowList::parse([pattern.as_str()])?))
}

/// The code, which scripts may decide by, and words for a person. Neither has anything of what the parent said.
fn told(error: &FetchError) -> String {
    format!("{} ({error})", error.code())
}
