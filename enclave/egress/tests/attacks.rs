//! Servers and parents that misbehave, each by its name. None gets a byte of the request that it should not have,
//! and none holds a call beyond its limits.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod world;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use r3e_egress::{FetchError, FetchLimits, Phase, TrustRoots, limits};
use r3e_proto::host::egress::{MAX_MESSAGE_BYTES, RefusalCode, Reply};
use r3e_transport::frame::{read_frame, write_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Authority, NOW_MS, World, answer, connected, read_head, refused};

const URL: &str = "https://api.example.com/secret";
const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn short() -> FetchLimits {
    FetchLimits {
        connect_timeout_ms: 200,
        tls_timeout_ms: 200,
        header_timeout_ms: 200,
        body_timeout_ms: 200,
        ..FetchLimits::default()
    }
}

/// Time enough for each phase but the one that is tested.
fn short_in(phase: Phase) -> FetchLimits {
    let (short, ample) = (short(), FetchLimits::default());
    match phase {
        Phase::Connect => FetchLimits { connect_timeout_ms: short.connect_timeout_ms, ..ample },
        Phase::Tls => FetchLimits { tls_timeout_ms: short.tls_timeout_ms, ..ample },
        Phase::Head => FetchLimits { header_timeout_ms: short.header_timeout_ms, ..ample },
        _ => FetchLimits { body_timeout_ms: short.body_timeout_ms, ..ample },
    }
}

/// A server that must never get a request: counts the bytes it does get after the handshake.
async fn assert_nothing_sent(authority: &Authority, other: &Authority, name: &str) {
    let received = Arc::new(AtomicUsize::new(0));
    let count = received.clone();
    let world = World::serving(authority, &other.identity(name), move |mut tls| {
        let count = count.clone();
        Box::pin(async move {
            while tls.read_u8().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
    })
    .await;
    let error = world.get(URL).await.unwrap_err();
    assert_eq!(error.code(), "certificate", "{error:?}");
    assert_eq!(received.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority() {
    assert_nothing_sent(&Authority::new("test root"), &Authority::new("other root"), "api.example.com").await;
}

#[tokio::test]
async fn an_authority_of_the_same_name_with_another_key() {
    assert_nothing_sent(&Authority::new("test root"), &Authority::new("test root"), "api.example.com").await;
}

/// The parent takes the enclave to another server, which is honest about its own name.
#[tokio::test]
async fn a_parent_that_leads_to_another_host() {
    let authority = Authority::new("test root");
    for name in ["other.example.com", "example.com", "a.api.example.com", "*.api.example.com"] {
        assert_nothing_sent(&authority, &authority, name).await;
    }
}

#[tokio::test]
async fn a_certificate_expired_or_not_yet_valid_by_the_trusted_clock() {
    let authority = Authority::new("test root");
    let world = World::serving(&authority, &authority.identity("api.example.com"), answer(OK)).await;
    for (clock, expected) in [
        (NOW_MS, None),
        (NOW_MS + YEAR_MS, Some("certificate")),
        (NOW_MS - YEAR_MS, Some("certificate")),
        // The time is not known.
        (0, Some("certificate")),
        (NOW_MS, None),
    ] {
        world.clock_ms.store(clock, Ordering::SeqCst);
        assert_eq!(world.get(URL).await.err().map(|error| error.code()), expected, "at {clock}");
    }
}

#[tokio::test]
async fn a_server_without_tls() {
    let authority = Authority::new("test root");
    let received = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let log = received.clone();
    let world = World::new(&[&authority], move |stream| {
        let log = log.clone();
        Box::pin(async move {
            let (mut stream, _) = connected(stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut *log.lock().await).await;
        })
    })
    .await;
    assert_eq!(world.get(URL).await.unwrap_err().code(), "tls");
    assert!(!received.lock().await.windows(6).any(|window| window == b"secret"));
}

#[tokio::test]
async fn a_parent_that_refuses_for_each_of_its_reasons() {
    let authority = Authority::new("test root");
    for code in [
        RefusalCode::NotAllowed,
        RefusalCode::NoSuchHost,
        RefusalCode::NotPublic,
        RefusalCode::Unreachable,
        RefusalCode::TimedOut,
        RefusalCode::Busy,
    ] {
        let world = World::new(&[&authority], move |stream| Box::pin(refused(stream, code))).await;
        let error = world.get(URL).await.unwrap_err();
        assert_eq!(error.code(), "connection_refused");
        assert!(matches!(error, FetchError::Refused { code: found, .. } if found == code));
    }
}

#[tokio::test]
async fn a_parent_that_answers_the_wish_with_garbage_or_not_at_all() {
    let authority = Authority::new("test root");
    let cases: [(&[u8], &str); 5] = [
        (b"\x00\x00\x00\x03\xff\xff\xff", "egress_unavailable"),
        (b"\x00\x00\x00\x00", "egress_unavailable"),
        (b"\xff\xff\xff\xff", "egress_unavailable"),
        (b"\x00\x00\x00\x03\xa1\x01\x18", "egress_unavailable"),
        (b"", "timeout"),
    ];
    for (bytes, expected) in cases {
        let world = World::new(&[&authority], move |mut stream| {
            Box::pin(async move {
                read_frame(&mut stream, MAX_MESSAGE_BYTES).await.unwrap();
                stream.write_all(bytes).await.unwrap();
                // Stays open until the enclave closes.
                let _ = stream.read_u8().await;
            })
        })
        .await;
        let error = world.get_within(URL, &short()).await.unwrap_err();
        assert_eq!(error.code(), expected, "{bytes:?}: {error:?}");
    }
    let world = World::new(&[&authority], |stream| Box::pin(async move { drop(stream) })).await;
    assert_eq!(world.get(URL).await.unwrap_err().code(), "egress_unavailable");
}

#[tokio::test]
async fn a_parent_that_is_not_there() {
    let authority = Authority::new("test root");
    let world = World::new(&[&authority], |_| Box::pin(async {})).await;
    let nowhere = r3e_transport::Endpoint::Unix { path: "/nonexistent/enclave.sock".into() };
    let clock = r3e_egress::TrustedClock::new(|| Some(NOW_MS));
    let transport = r3e_transport::EnclaveTransport::new(nowhere);
    let egress = r3e_egress::Egress::new(transport, TrustRoots::public(), clock).unwrap();
    let world = World { egress, ..world };
    assert_eq!(world.get(URL).await.unwrap_err().code(), "egress_unavailable");
}

#[tokio::test]
async fn a_handshake_that_never_ends() {
    let authority = Authority::new("test root");
    let world = World::new(&[&authority], |stream| {
        Box::pin(async move {
            let (mut stream, _) = connected(stream).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
    })
    .await;
    let error = world.get_within(URL, &short_in(Phase::Tls)).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { phase: Phase::Tls, .. }), "{error:?}");
}

#[tokio::test]
async fn headers_that_come_a_byte_at_a_time() {
    let authority = Authority::new("test root");
    let world = World::serving(&authority, &authority.identity("api.example.com"), |mut tls| {
        Box::pin(async move {
            read_head(&mut tls).await;
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\n").await;
            while tls.write_all(b"a").await.is_ok() {
                let _ = tls.flush().await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    })
    .await;
    let error = world.get_within(URL, &short_in(Phase::Head)).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { phase: Phase::Head, .. }), "{error:?}");
}

#[tokio::test]
async fn a_body_that_comes_a_byte_at_a_time() {
    let authority = Authority::new("test root");
    let world = World::serving(&authority, &authority.identity("api.example.com"), |mut tls| {
        Box::pin(async move {
            read_head(&mut tls).await;
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
            while tls.write_all(b"a").await.is_ok() {
                let _ = tls.flush().await;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        })
    })
    .await;
    let error = world.get_within(URL, &short_in(Phase::Body)).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { phase: Phase::Body, .. }), "{error:?}");
}

/// Writes `part` again and again after `start`, until the enclave closes; how many bytes it took.
async fn flood(start: &'static [u8], part: Vec<u8>, limits: &FetchLimits) -> (FetchError, usize) {
    let authority = Authority::new("test root");
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let world = World::serving(&authority, &authority.identity("api.example.com"), move |mut tls| {
        let (count, part) = (count.clone(), part.clone());
        Box::pin(async move {
            read_head(&mut tls).await;
            let _ = tls.write_all(start).await;
            while tls.write_all(&part).await.is_ok() {
                count.fetch_add(part.len(), Ordering::SeqCst);
            }
        })
    })
    .await;
    let error = world.get_within(URL, limits).await.unwrap_err();
    (error, taken.load(Ordering::SeqCst))
}

/// What may lie in buffers between the server and the limit: sockets, TLS and HTTP.
const SLACK_BYTES: usize = 2 * 1024 * 1024;

#[tokio::test]
async fn an_endless_body_of_every_framing() {
    let limits = FetchLimits { max_response_bytes: 100_000, ..FetchLimits::default() };
    let chunk = [b"2000\r\n".as_slice(), &[b'x'; 0x2000], b"\r\n"].concat();
    let cases: [(&'static [u8], Vec<u8>); 3] = [
        (b"HTTP/1.1 200 OK\r\n\r\n", vec![b'x'; 8192]),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunk),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", vec![b'x'; 8192]),
    ];
    for (start, part) in cases {
        let (error, taken) = flood(start, part, &limits).await;
        assert_eq!(error.code(), "response_body_too_large", "{error:?}");
        assert!(taken < limits.max_response_bytes + SLACK_BYTES, "{taken}");
    }
}

#[tokio::test]
async fn a_body_one_byte_over_the_limit() {
    let authority = Authority::new("test root");
    let limits = FetchLimits { max_response_bytes: 5, ..FetchLimits::default() };
    for (body, allowed) in [("12345", true), ("123456", false)] {
        for framing in ["content-length", "close"] {
            let head = match framing {
                "close" => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
                _ => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()),
            };
            let reply = answer(head + body);
            let world = World::serving(&authority, &authority.identity("api.example.com"), reply).await;
            let outcome = world.get_within(URL, &limits).await;
            assert_eq!(outcome.is_ok(), allowed, "{body} by {framing}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn endless_headers() {
    let cases: [(&'static [u8], Vec<u8>); 4] = [
        (b"HTTP/1.1 200 OK\r\nx: ", vec![b'x'; 8192]),
        (b"HTTP/1.1 200 OK\r\n", [b"x: ".as_slice(), &[b'y'; 1000], b"\r\n"].concat()),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n".to_vec()),
        (b"HTTP/1.1 200 ", vec![b'O'; 8192]),
    ];
    for (start, part) in cases {
        let (error, taken) = flood(start, part, &FetchLimits::default()).await;
        assert_eq!(error.code(), "response_head_too_large", "{error:?}");
        assert!(taken < limits::MAX_RESPONSE_HEADER_BYTES + SLACK_BYTES, "{taken}");
    }
}

#[tokio::test]
async fn endless_interim_responses() {
    let limits = FetchLimits { header_timeout_ms: 500, ..FetchLimits::default() };
    let (error, _) = flood(b"", b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n".to_vec(), &limits).await;
    assert_eq!(error.code(), "timeout", "{error:?}");
}

#[tokio::test]
async fn a_response_that_is_not_http() {
    let authority = Authority::new("test root");
    for reply in [
        "",
        "hello\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    ] {
        let world = World::serving(&authority, &authority.identity("api.example.com"), answer(reply)).await;
        assert_eq!(world.get(URL).await.unwrap_err().code(), "protocol", "{reply:?}");
    }
}

/// The parent cuts the stream: TLS says that the end is not the server's, so what came is not taken for the whole.
#[tokio::test]
async fn a_body_that_the_parent_cuts() {
    let authority = Authority::new("test root");
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n",
    ] {
        let world = World::serving(&authority, &authority.identity("api.example.com"), move |mut tls| {
            Box::pin(async move {
                read_head(&mut tls).await;
                tls.write_all(head.as_bytes()).await.unwrap();
                tls.write_all(b"a part").await.unwrap();
                tls.flush().await.unwrap();
                // Closed without TLS's own farewell.
                tls.get_mut().0.shutdown().await.unwrap();
            })
        })
        .await;
        let error = world.get(URL).await.unwrap_err();
        assert_eq!(error.code(), "protocol", "{head:?}: {error:?}");
    }
}

#[tokio::test]
async fn hosts_that_are_not_allowed_never_reach_the_parent() {
    let authority = Authority::new("test root");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let world = World::new(&[&authority], move |mut stream| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let _ = write_frame(&mut stream, &Reply::Connected.encode(), MAX_MESSAGE_BYTES).await;
        })
    })
    .await;
    let table = [
        ("https://other.example.com/", "host_not_allowed"),
        ("https://api.example.com:444/", "host_not_allowed"),
        ("https://api.example.com.evil.com/", "host_not_allowed"),
        ("https://127.0.0.1/", "host_not_public"),
        ("https://0x7f000001/", "host_not_public"),
        ("https://2130706433/", "host_not_public"),
        ("https://127.1/", "host_not_public"),
        ("https://169.254.169.254/latest/meta-data/", "host_not_public"),
        ("https://[::1]/", "host_not_public"),
        ("https://[::ffff:127.0.0.1]/", "host_not_public"),
        ("https://localhost/", "host_not_public"),
        ("https://a.localhost/", "host_not_public"),
        ("https://metadata.google.internal/", "host_not_public"),
        ("https://api.example.com./", "host_not_public"),
        ("https://intranet/", "host_not_public"),
        ("http://api.example.com/", "invalid_url"),
        ("ftp://api.example.com/", "invalid_url"),
        ("file:///etc/passwd", "invalid_url"),
        ("https://user@api.example.com/", "invalid_url"),
        ("https://:pass@api.example.com/", "invalid_url"),
        ("https://api.example.com:0/", "invalid_url"),
        ("/relative", "invalid_url"),
        ("https://", "invalid_url"),
        ("", "invalid_url"),
    ];
    for (url, expected) in table {
        let error = world.get(url).await.unwrap_err();
        assert_eq!(error.code(), expected, "{url}: {error}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn roots_that_are_none_are_refused() {
    assert!(TrustRoots::public().with_extra(&[b"not a certificate"]).is_err());
    let authority = Authority::new("test root");
    assert!(TrustRoots::public().with_extra(&[&authority.der; limits::MAX_EXTRA_ROOTS]).is_ok());
    assert!(TrustRoots::public().with_extra(&[&authority.der; limits::MAX_EXTRA_ROOTS + 1]).is_err());
}
