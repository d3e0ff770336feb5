//! The egress proxy as the enclave sees it: what is refused and why, and what passes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod house;

use std::net::SocketAddr;
use std::time::Duration;

use house::{House, noise};
use r3e_proto::host::EGRESS_PORT;
use r3e_proto::host::egress::{Connect, MAX_MESSAGE_BYTES, RefusalCode, Reply};
use r3e_transport::Stream;
use r3e_transport::frame::{read_frame, write_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server on loopback that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.into_split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
                let _ = writer.shutdown().await;
            });
        }
    });
    address
}

async fn connect(house: &House, host: &str, port: u16) -> (Stream, Reply) {
    let mut stream = house.enclave.dial_parent(EGRESS_PORT).await.unwrap();
    let body = Connect { host: host.into(), port }.encode();
    write_frame(&mut stream, &body, MAX_MESSAGE_BYTES).await.unwrap();
    let reply = read_frame(&mut stream, MAX_MESSAGE_BYTES).await.unwrap();
    (stream, Reply::decode(&reply).unwrap())
}

async fn refusal(house: &House, host: &str, port: u16) -> RefusalCode {
    let (mut stream, reply) = connect(house, host, port).await;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "a refused connection is closed");
    match reply {
        Reply::Refused { code, .. } => code,
        Reply::Connected => panic!("{host}:{port} was connected"),
    }
}

#[tokio::test]
async fn bytes_pass_both_ways_and_each_half_ends_by_itself() {
    let server = echo().await;
    let fixed = format!("api.test:443:{server}");
    let house = House::start(|settings| settings.egress.resolve = vec![fixed.parse().unwrap()]).await;
    let (mut stream, reply) = connect(&house, "API.test", 443).await;
    assert_eq!(reply, Reply::Connected);
    let payload = noise(5, 1_000_000);
    let (mut reader, mut writer) = tokio::io::split(&mut stream);
    let mut back = Vec::new();
    let (sent, read) = tokio::join!(
        async {
            writer.write_all(&payload).await.unwrap();
            writer.shutdown().await
        },
        reader.read_to_end(&mut back)
    );
    sent.unwrap();
    read.unwrap();
    assert!(back == payload);
    house.wait_for("egress", "open", 0).await;
    assert_eq!(house.count("egress", "connected").await, 1);
    assert_eq!(house.count("egress", "bytes_out").await, 1_000_000);
    assert_eq!(house.count("egress", "bytes_in").await, 1_000_000);
}

#[tokio::test]
async fn bytes_right_behind_the_request_are_the_hosts() {
    let server = echo().await;
    let fixed = format!("api.test:443:{server}");
    let house = House::start(|settings| settings.egress.resolve = vec![fixed.parse().unwrap()]).await;
    let mut stream = house.enclave.dial_parent(EGRESS_PORT).await.unwrap();
    let mut bytes = Vec::new();
    write_frame(&mut bytes, &Connect { host: "api.test".into(), port: 443 }.encode(), 1024).await.unwrap();
    bytes.extend(b"early");
    stream.write_all(&bytes).await.unwrap();
    let reply = read_frame(&mut stream, MAX_MESSAGE_BYTES).await.unwrap();
    assert_eq!(Reply::decode(&reply).unwrap(), Reply::Connected);
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"early");
}

#[tokio::test]
async fn each_refusal_has_its_reason() {
    let server = echo().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let house = House::start(|settings| {
        settings.egress.allow =
            vec!["*:443".parse().unwrap(), format!("*:{}", server.port()).parse().unwrap()];
        settings.egress.resolve = vec![format!("closed.test:443:{closed}").parse().unwrap()];
    })
    .await;
    for (host, port, code) in [
        // This machine, by a name that resolves to it.
        ("localhost", server.port(), RefusalCode::NotPublic),
        ("LOCALHOST.", server.port(), RefusalCode::NotPublic),
        ("localhost", 80, RefusalCode::NotAllowed),
        ("localhost", 0, RefusalCode::NotAllowed),
        // An address is no name, however it is written.
        ("127.0.0.1", server.port(), RefusalCode::NotAllowed),
        ("127.1", server.port(), RefusalCode::NotAllowed),
        ("2130706433", server.port(), RefusalCode::NotAllowed),
        ("0x7f.1", server.port(), RefusalCode::NotAllowed),
        ("::1", server.port(), RefusalCode::NotAllowed),
        ("[::1]", server.port(), RefusalCode::NotAllowed),
        ("::ffff:127.0.0.1", server.port(), RefusalCode::NotAllowed),
        ("169.254.169.254", 443, RefusalCode::NotAllowed),
        ("", 443, RefusalCode::NotAllowed),
        ("a b", 443, RefusalCode::NotAllowed),
        ("closed.test", 443, RefusalCode::Unreachable),
    ] {
        assert_eq!(refusal(&house, host, port).await, code, "{host}:{port}");
    }
    // With no resolver to ask, the time may run out first.
    let code = refusal(&house, "no-such-host.invalid", 443).await;
    assert!(matches!(code, RefusalCode::NoSuchHost | RefusalCode::TimedOut), "{code:?}");
    assert_eq!(house.count("egress", "refused").await, 16);
    assert_eq!(house.count("egress", "connected").await, 0);
}

#[tokio::test]
async fn a_network_that_is_allowed_by_name_may_be_reached_and_no_other() {
    let server = echo().await;
    let allow = |network: &'static str| {
        let rule = format!("localhost:{}", server.port());
        House::start(move |settings| {
            settings.egress.allow = vec![rule.parse().unwrap()];
            settings.egress.allow_private = vec![network.parse().unwrap()];
        })
    };
    let house = allow("127.0.0.0/8").await;
    assert_eq!(connect(&house, "localhost", server.port()).await.1, Reply::Connected);
    let house = allow("10.0.0.0/8").await;
    assert_eq!(refusal(&house, "localhost", server.port()).await, RefusalCode::NotPublic);
}

#[tokio::test]
async fn over_the_cap_is_busy_and_idle_is_closed() {
    let server = echo().await;
    let fixed = format!("api.test:443:{server}");
    let house = House::start(|settings| {
        settings.egress.resolve = vec![fixed.parse().unwrap()];
        settings.egress.max_connections = 1;
        settings.egress.idle_timeout_ms = 2_000;
    })
    .await;
    let (mut held, reply) = connect(&house, "api.test", 443).await;
    assert_eq!(reply, Reply::Connected);
    assert_eq!(refusal(&house, "api.test", 443).await, RefusalCode::Busy);
    let mut rest = Vec::new();
    held.read_to_end(&mut rest).await.unwrap();
    house.wait_for("egress", "open", 0).await;
    assert_eq!(connect(&house, "api.test", 443).await.1, Reply::Connected);
}

#[tokio::test]
async fn what_is_no_request_is_closed_unanswered() {
    let house = House::start(|_| {}).await;
    let long = Connect { host: "a".repeat(300), port: 443 }.encode();
    let mut framed = u32::try_from(long.len()).unwrap().to_be_bytes().to_vec();
    framed.extend(&long);
    for (closed, bytes) in (1_u64..).zip([
        vec![0; 4],
        vec![0, 0, 0xff, 0xff],
        vec![0, 0, 0, 3, 1, 2, 3],
        vec![0, 0, 0, 9],
        Vec::new(),
        framed,
    ]) {
        let mut stream = house.enclave.dial_parent(EGRESS_PORT).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut answer)).await;
        ended.expect("closed, not left hanging").unwrap_or_default();
        assert!(answer.is_empty(), "{bytes:?}");
        house.wait_for("egress", "malformed", closed).await;
    }
}
