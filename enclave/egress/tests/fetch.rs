//! Fetches that succeed, and what the server sees of them.

mod world;

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use r3e_egress::{Egress, FetchLimits, HostAllowList, Request, limits};
use r3e_proto::host::egress::Connect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{Authority, World, allowed, answer, connected, read_head};

#[tokio::test]
async fn a_response_comes_back_whole_with_the_certificate_that_proved_it() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let reply = "HTTP/1.1 418 x\r\ncontent-length: 5\r\nx-a: 1\r\nx-a: 2\r\n\r\nhello";
    let world = World::serving(&authority, &identity, answer(reply)).await;
    let response = world.get("https://api.example.com/tea?cup=1#part").await.unwrap();
    assert_eq!((response.status, &response.body[..]), (418, b"hello".as_slice()));
    assert_eq!(response.headers.get_all("x-a").iter().count(), 2);
    assert_eq!(response.peer_certificate, digest(&SHA256, &identity.certificate).as_ref());
}

#[tokio::test]
async fn the_parent_learns_the_name_and_the_server_gets_the_request() {
    let authority = Authority::new("test root");
    let acceptor = authority.identity("api.example.com").acceptor(&[&rustls::version::TLS13]);
    let seen = Arc::new(Mutex::new(Vec::<(Connect, String, Vec<u8>)>::new()));
    let log = seen.clone();
    let world = World::new(&[&authority], move |stream| {
        let (acceptor, log) = (acceptor.clone(), log.clone());
        Box::pin(async move {
            let (stream, wish) = connected(stream).await;
            let mut tls = acceptor.accept(stream).await.unwrap();
            let head = read_head(&mut tls).await;
            let mut body = [0; 4];
            tls.read_exact(&mut body).await.unwrap();
            log.lock().unwrap().push((wish, head, body.to_vec()));
            tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        })
    })
    .await;
    let headers = [("Authorization", b"Bearer x".as_slice()), ("X-Twice", b"1"), ("x-twice", b"2")];
    let body = Bytes::from_static(b"body");
    let request =
        Request::parse("POST", "https://API.example.com:8443/a%20b?q=%C3%A9", headers, body).unwrap();
    world.egress.fetch(request, &allowed(), &FetchLimits::default()).await.unwrap();

    let (wish, head, body) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(wish, Connect { host: "api.example.com".into(), port: 8443 });
    assert_eq!(body, b"body");
    let mut lines: Vec<_> = head.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /a%20b?q=%C3%A9 HTTP/1.1");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "authorization: Bearer x",
            "connection: close",
            "content-length: 4",
            "host: api.example.com:8443",
            "x-twice: 1",
            "x-twice: 2",
        ]
    );
}

#[tokio::test]
async fn tls_1_2_servers_are_reached_too() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let reply = answer("HTTP/1.1 204 No Content\r\n\r\n");
    let world = World::serving_versions(&authority, &identity, &[&rustls::version::TLS12], reply).await;
    assert_eq!(world.get("https://api.example.com/").await.unwrap().status, 204);
}

#[tokio::test]
async fn a_wildcard_in_the_list_and_in_the_certificate() {
    let authority = Authority::new("test root");
    let identity = authority.identity("*.feeds.example.com");
    let world =
        World::serving(&authority, &identity, answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    assert_eq!(world.get("https://eth.feeds.example.com/").await.unwrap().status, 200);
    assert_eq!(world.get("https://a.b.feeds.example.com/").await.unwrap_err().code(), "host_not_allowed");
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let connections = Arc::new(Mutex::new(0));
    let count = connections.clone();
    let world = World::serving(&authority, &identity, move |tls| {
        *count.lock().unwrap() += 1;
        answer("HTTP/1.1 302 Found\r\nlocation: https://api.example.com/other\r\ncontent-length: 0\r\n\r\n")(
            tls,
        )
    })
    .await;
    let response = world.get("https://api.example.com/").await.unwrap();
    assert_eq!(
        (response.status, &response.headers["location"]),
        (302, &"https://api.example.com/other".parse().unwrap())
    );
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn bodies_of_every_framing_arrive_and_a_head_request_has_none() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    for reply in [
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\nx-trailer: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabcdef",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef",
    ] {
        let world = World::serving(&authority, &identity, answer(reply)).await;
        assert_eq!(world.get("https://api.example.com/").await.unwrap().body, "abcdef", "{reply}");
    }
    let world =
        World::serving(&authority, &identity, answer("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")).await;
    let request = Request::parse("HEAD", "https://api.example.com/", [], Bytes::new()).unwrap();
    let response = world.egress.fetch(request, &allowed(), &FetchLimits::default()).await.unwrap();
    assert!(response.body.is_empty());
}

#[tokio::test]
async fn the_largest_body_arrives() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let mut reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", limits::MAX_RESPONSE_BODY_BYTES)
        .into_bytes();
    reply.resize(reply.len() + limits::MAX_RESPONSE_BODY_BYTES, 7);
    let world = World::serving(&authority, &identity, answer(reply)).await;
    let response = world.get("https://api.example.com/").await.unwrap();
    assert_eq!(response.body.len(), limits::MAX_RESPONSE_BODY_BYTES);
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_and_places_come_back() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let world = World::serving(&authority, &identity, |mut tls| {
        Box::pin(async move {
            read_head(&mut tls).await;
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        })
    })
    .await;
    let egress: Arc<Egress> = Arc::new(world.egress);
    let fetches: Vec<_> = (0..limits::MAX_CONNECTIONS + 20)
        .map(|_| {
            let egress = egress.clone();
            tokio::spawn(async move {
                let request = Request::parse("GET", "https://api.example.com/", [], Bytes::new()).unwrap();
                egress.fetch(request, &allowed(), &FetchLimits::default()).await
            })
        })
        .collect();
    let (mut served, mut busy) = (0, 0);
    for fetch in fetches {
        match fetch.await.unwrap() {
            Ok(_) => served += 1,
            Err(error) => {
                assert_eq!(error.code(), "busy");
                busy += 1;
            }
        }
    }
    assert_eq!((served, busy), (limits::MAX_CONNECTIONS, 20));
    let request = Request::parse("GET", "https://api.example.com/", [], Bytes::new()).unwrap();
    egress.fetch(request, &allowed(), &FetchLimits::default()).await.unwrap();
}

#[tokio::test]
async fn an_empty_list_allows_nothing() {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let world =
        World::serving(&authority, &identity, answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let request = Request::parse("GET", "https://api.example.com/", [], Bytes::new()).unwrap();
    let outcome = world.egress.fetch(request, &HostAllowList::default(), &FetchLimits::default()).await;
    assert_eq!(outcome.unwrap_err().code(), "host_not_allowed");
}
