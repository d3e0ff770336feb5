//! What a caller may not ask for.

use bytes::Bytes;
use r3e_egress::{Request, limits};

const URL: &str = "https://api.example.com/";

fn code(method: &str, url: &str, headers: &[(&str, &[u8])], body: usize) -> Option<&'static str> {
    let outcome = Request::parse(method, url, headers.iter().copied(), Bytes::from(vec![0; body]));
    outcome.err().map(|error| error.code())
}

#[test]
fn methods() {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_eq!(code(method, URL, &[], 0), None);
    }
    for method in ["CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1\r\n", "PROPFIND"] {
        assert_eq!(code(method, URL, &[], 0), Some("invalid_method"), "{method:?}");
    }
}

#[test]
fn headers_of_the_connection_are_not_the_callers() {
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "proxy-authenticate",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "http2-settings",
    ] {
        assert_eq!(code("GET", URL, &[(name, b"x")], 0), Some("forbidden_header"), "{name}");
    }
    for name in
        ["authorization", "cookie", "accept", "content-type", "user-agent", "x-anything", "accept-encoding"]
    {
        assert_eq!(code("GET", URL, &[(name, b"x")], 0), None, "{name}");
    }
}

#[test]
fn headers_that_would_break_out_of_their_line() {
    for (name, value) in [
        ("x", b"a\r\nhost: evil".as_slice()),
        ("x", b"a\nb"),
        ("x", b"a\0b"),
        ("x\r\nhost", b"evil"),
        ("x:", b"v"),
        ("x y", b"v"),
        ("", b"v"),
        ("é", b"v"),
    ] {
        assert_eq!(code("GET", URL, &[(name, value)], 0), Some("invalid_header"), "{name:?}");
    }
}

#[test]
fn limits_at_their_edges() {
    let many = vec![("x", b"".as_slice()); limits::MAX_REQUEST_HEADERS];
    assert_eq!(code("GET", URL, &many, 0), None);
    let more = vec![("x", b"".as_slice()); limits::MAX_REQUEST_HEADERS + 1];
    assert_eq!(code("GET", URL, &more, 0), Some("request_too_large"));

    let long = vec![b'a'; limits::MAX_REQUEST_HEADER_BYTES - 1];
    assert_eq!(code("GET", URL, &[("x", &long)], 0), None);
    assert_eq!(code("GET", URL, &[("xy", &long)], 0), Some("request_too_large"));

    assert_eq!(code("POST", URL, &[], limits::MAX_REQUEST_BODY_BYTES), None);
    assert_eq!(code("POST", URL, &[], limits::MAX_REQUEST_BODY_BYTES + 1), Some("request_too_large"));

    let path = "a".repeat(limits::MAX_URL_BYTES - URL.len());
    assert_eq!(code("GET", &format!("{URL}{path}"), &[], 0), None);
    assert_eq!(code("GET", &format!("{URL}{path}a"), &[], 0), Some("request_too_large"));
}

#[test]
fn hosts_are_read_as_browsers_read_them() {
    for (url, host, port) in [
        ("https://API.Example.COM", "api.example.com", 443),
        ("https://api.example.com:443/", "api.example.com", 443),
        ("https://api.example.com:8443/", "api.example.com", 8443),
        ("https://bücher.example/", "xn--bcher-kva.example", 443),
        ("https:\\\\api.example.com\\x", "api.example.com", 443),
        ("https://evil.com%2f@api.example.com/", "", 0),
    ] {
        match Request::parse("GET", url, [], Bytes::new()) {
            Ok(request) => assert_eq!((request.host(), request.port()), (host, port), "{url}"),
            Err(error) => assert_eq!((host, error.code()), ("", "invalid_url"), "{url}"),
        }
    }
}
