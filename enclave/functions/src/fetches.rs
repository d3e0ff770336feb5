//! `fetch`: to hosts that the function was granted, within what one invocation may send.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_egress::{FetchError, FetchLimits, HostAllowList, Request, Response};
use r3e_proto::api::functions::Permissions;
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue};
use tokio::sync::Semaphore;

use crate::limits::{MAX_BYTES_OUT, MAX_FETCH_REQUEST_BYTES, MAX_FETCH_RESPONSE_BYTES, MAX_FETCHES_AT_ONCE};
use crate::sources::Internet;
use crate::values::refused;

/// The fetches of one invocation.
pub(crate) struct Fetches {
    granted: HostAllowList,
    bytes_out: AtomicU64,
    turns: Semaphore,
}

/// What a runner wants fetched, as it says.
pub(crate) struct Fetch {
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body_base64: Option<String>,
}

/// A request that may be sent, and what it counts for.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    bytes: u64,
}

impl Fetches {
    /// None yet, to the hosts that were granted.
    ///
    /// # Errors
    /// [`FetchError::HostNotPublic`] for a permission that was never checked.
    pub(crate) fn of(permissions: &Permissions) -> Result<Self, FetchError> {
        let granted = HostAllowList::parse(permissions.net.iter().map(String::as_str))?;
        Ok(Self { granted, bytes_out: AtomicU64::new(0), turns: Semaphore::new(MAX_FETCHES_AT_ONCE) })
    }

    /// Bytes of the requests so far: URLs, headers and bodies, of those that a granted host was sent.
    pub(crate) fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Sends a request and gives the whole response.
    pub(crate) async fn send(&self, internet: &dyn Internet, fetch: Fetch) -> HostReply {
        let prepared = self.prepare(fetch)?;
        let response = self.exchange(internet, prepared, MAX_FETCH_RESPONSE_BYTES).await?;
        Ok(told(&response))
    }

    /// A request to a host that was granted.
    pub(crate) fn prepare(&self, fetch: Fetch) -> Result<Prepared, HostError> {
        let Fetch { url, method, headers, body_base64 } = fetch;
        let body = BASE64
            .decode(body_base64.unwrap_or_default())
            .map_err(|_| refused(HostErrorCode::Invalid, "the body is not standard base64"))?;
        let headers = headers.into_iter().map(encoded).collect::<Result<Vec<_>, _>>()?;
        let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let bytes = (url.len() + header_bytes + body.len()) as u64;
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let request =
            Request::parse(&method, &url, pairs, body.into()).map_err(|error| host_error(&error))?;
        if !self.granted.allows(request.host(), request.port()) {
            let message = "this function was not granted that host; grant it when you deploy";
            return Err(refused(HostErrorCode::Denied, message));
        }
        Ok(Prepared { request, bytes })
    }

    /// Sends it, where the invocation may still send so much.
    pub(crate) async fn exchange(
        &self,
        internet: &dyn Internet,
        prepared: Prepared,
        max_response_bytes: usize,
    ) -> Result<Response, HostError> {
        let Prepared { request, bytes } = prepared;
        self.spend(bytes)?;
        let stopping = |_| refused(HostErrorCode::Unavailable, "the appliance is stopping");
        let _turn = self.turns.acquire().await.map_err(stopping)?;
        let limits = FetchLimits {
            max_request_bytes: MAX_FETCH_REQUEST_BYTES,
            max_response_bytes,
            ..FetchLimits::default()
        };
        internet.fetch(request, &self.granted, &limits).await.map_err(|error| host_error(&error))
    }

    fn spend(&self, bytes: u64) -> Result<(), HostError> {
        let within = |spent: u64| spent.checked_add(bytes).filter(|sum| *sum <= MAX_BYTES_OUT);
        if self.bytes_out.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok() {
            return Ok(());
        }
        let message = format!("an invocation sends at most {MAX_BYTES_OUT} bytes");
        Err(refused(HostErrorCode::LimitExceeded, message))
    }
}

/// A header as bytes: the fetch standard's byte string, one byte a character.
fn encoded((name, value): (String, String)) -> Result<(String, Vec<u8>), HostError> {
    let bytes = value.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
    let bytes =
        bytes.map_err(|_| refused(HostErrorCode::Invalid, "a header's value has a character over U+00FF"))?;
    Ok((name, bytes))
}

/// A response as a runner is told of it, headers as byte strings again.
fn told(response: &Response) -> HostValue {
    let headers = response.headers.iter();
    HostValue::Fetch {
        status: response.status,
        headers: headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), value.as_bytes().iter().copied().map(char::from).collect())
            })
            .collect(),
        body_base64: BASE64.encode(&response.body),
    }
}

fn host_error(error: &FetchError) -> HostError {
    let code = match error {
        FetchError::HostNotAllowed { .. } => HostErrorCode::Denied,
        FetchError::Url { .. }
        | FetchError::HostNotPublic { .. }
        | FetchError::Method
        | FetchError::ForbiddenHeader { .. }
        | FetchError::Header => HostErrorCode::Invalid,
        FetchError::RequestTooLarge { .. }
        | FetchError::HeadTooLarge { .. }
        | FetchError::BodyTooLarge { .. } => HostErrorCode::TooLarge,
        FetchError::TimedOut { .. } => HostErrorCode::TimedOut,
        _ => HostErrorCode::Unavailable,
    };
    // The text names limits, phases and the function's own arguments; the parent's words stay in the error's fields.
    refused(code, format!("{}: {error}", error.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_sends_only_so_much() {
        let fetches = Fetches::of(&Permissions::default()).unwrap();
        fetches.spend(MAX_BYTES_OUT - 1).unwrap();
        assert_eq!(fetches.spend(2).unwrap_err().code, HostErrorCode::LimitExceeded);
        assert_eq!(fetches.spend(u64::MAX).unwrap_err().code, HostErrorCode::LimitExceeded);
        fetches.spend(1).unwrap();
        assert_eq!(fetches.spend(1).unwrap_err().code, HostErrorCode::LimitExceeded);
        assert_eq!(fetches.bytes_out(), MAX_BYTES_OUT);
    }

    #[test]
    fn headers_are_byte_strings() {
        let pair = |value: &str| encoded(("x".into(), value.into()));
        assert_eq!(pair("a\u{e9}").unwrap().1, b"a\xe9");
        assert_eq!(pair("\u{100}").unwrap_err().code, HostErrorCode::Invalid);
    }
}
