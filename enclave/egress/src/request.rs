//! A request, parsed before anything is opened for it, and a response.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::{Host, Url};

use crate::{
    error::FetchError,
    host::public_name,
    limits::{MAX_REQUEST_BODY_BYTES, MAX_REQUEST_HEADER_BYTES, MAX_REQUEST_HEADERS, MAX_URL_BYTES},
};

/// A request that is well-formed and names a public host. Whether that host is allowed is decided when it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) method: Method,
    /// A public DNS name in lower case.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query; starts with `/`.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code, 100 to 999.
    pub status: u16,
    /// As received, within the limits.
    pub headers: HeaderMap,
    /// As received: neither decompressed nor decoded.
    pub body: Bytes,
    /// SHA-256 of the certificate (DER) with which the server proved the name.
    pub peer_certificate: [u8; 32],
}

/// Headers that describe the connection or the framing (RFC 9110 section 7.6.1), or that the connection derives from
/// the URL. A caller that could set them could smuggle a second request, or name another host than the allowed one.
const FORBIDDEN: [HeaderName; 13] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("http2-settings"),
];

impl Request {
    /// Parses a request: an `https` URL with a public host and without credentials; its fragment is dropped.
    ///
    /// # Errors
    /// [`FetchError`] for what is not of the form, forbidden or over its limit.
    pub fn parse<'a>(
        method: &str,
        url: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: Bytes,
    ) -> Result<Self, FetchError> {
        let method = parse_method(method)?;
        let (host, port, target) = parse_url(url)?;
        let headers = parse_headers(headers)?;
        if body.len() > MAX_REQUEST_BODY_BYTES {
            return Err(FetchError::RequestTooLarge {
                what: "the body, in bytes,",
                limit: MAX_REQUEST_BODY_BYTES,
            });
        }
        Ok(Self { method, host, port, target, headers, body })
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Names in lower case and values, those of one name in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// The URL in its normal form: no port where it is the default, no fragment.
    pub fn url(&self) -> String {
        format!("https://{}{}", self.authority(), self.target)
    }

    /// The value of `Host`: the port is left out where it is the default.
    pub(crate) fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// Method names are case-sensitive (RFC 9110 section 9.1).
fn parse_method(method: &str) -> Result<Method, FetchError> {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    known.into_iter().find(|known| known.as_str() == method).ok_or(FetchError::Method)
}

fn parse_url(text: &str) -> Result<(String, u16, String), FetchError> {
    if text.len() > MAX_URL_BYTES {
        return Err(FetchError::RequestTooLarge { what: "the URL, in bytes,", limit: MAX_URL_BYTES });
    }
    let url = Url::parse(text).map_err(|_| FetchError::Url { rule: "it must be an absolute URL" })?;
    if url.scheme() != "https" {
        return Err(FetchError::Url { rule: "its scheme must be https" });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Url { rule: "it must hold no user name and no password" });
    }
    // The parser has turned every spelling of an address into an address, and every name into its ASCII form.
    let host = match url.host() {
        Some(Host::Domain(name)) => public_name(name)?.to_owned(),
        Some(address) => return Err(FetchError::HostNotPublic { host: address.to_string() }),
        None => return Err(FetchError::Url { rule: "it must name a host" }),
    };
    let port = match url.port_or_known_default() {
        Some(0) | None => return Err(FetchError::Url { rule: "its port must be 1 to 65535" }),
        Some(port) => port,
    };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Ok((host, port, target))
}

fn parse_headers<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<HeaderMap, FetchError> {
    let mut map = HeaderMap::new();
    let mut bytes = 0;
    for (count, (name, value)) in headers.into_iter().enumerate() {
        bytes += name.len() + value.len();
        if count >= MAX_REQUEST_HEADERS {
            return Err(FetchError::RequestTooLarge {
                what: "the count of headers",
                limit: MAX_REQUEST_HEADERS,
            });
        }
        if bytes > MAX_REQUEST_HEADER_BYTES {
            let limit = MAX_REQUEST_HEADER_BYTES;
            return Err(FetchError::RequestTooLarge { what: "the headers, in bytes,", limit });
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::Header)?;
        if FORBIDDEN.contains(&name) {
            return Err(FetchError::ForbiddenHeader { name: name.as_str().to_owned() });
        }
        map.append(name, HeaderValue::from_bytes(value).map_err(|_| FetchError::Header)?);
    }
    Ok(map)
}
