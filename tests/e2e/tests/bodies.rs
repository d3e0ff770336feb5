//! Requests that are too long, too slow, or never come.

use std::time::Duration;

use http::Method;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use r3e_e2e::raw::{Http, RawSession};
use r3e_e2e::tls::trusting_client;
use r3e_e2e::{Appliance, Options, Tenant};
use r3e_proto::api::identity::Scope;
use r3e_proto::channel::ALPN;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_its_limit_is_refused() {
    let appliance = Appliance::start(Options::default()).await;
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut signed_in = tenant.connect().await.sign_in_tenant(tenant.key()).await.unwrap();
    let scopes = [Scope::Invoke, Scope::Deploy, Scope::Secrets];
    let key = format!("Bearer {}", signed_in.create_key("test", &scopes).await.unwrap().secret);

    // The limits of SPEC.md, section 8; a body of just the limit is refused for what it says, or taken.
    for (method, path, limit) in [
        (Method::POST, "/v1/sign-in", 1024),
        (Method::PUT, "/v1/secrets/LONG", 64 * 1024),
        (Method::PUT, "/v1/functions/long", 9 * 1024 * 1024),
        (Method::POST, "/v1/functions/long/invocations", 1024 * 1024),
    ] {
        for (length, over) in [(limit, false), (limit + 1, true), (2 * limit, true)] {
            let mut http = Http::attested(&appliance.address()).await.unwrap();
            let headers = [("authorization", key.as_str())];
            let answer = http.send(method.clone(), path, &headers, vec![b' '; length]).await.unwrap();
            let refused = (answer.status, answer.code().as_str()) == (413, "too_large");
            assert_eq!(refused, over, "{path} with {length} bytes: {} {}", answer.status, answer.code());
        }
    }

    // A refusal that came before the body was looked at reaches a client that is still sending.
    for (method, path) in
        [(Method::PUT, "/v1/functions/long"), (Method::PUT, "/v1/secrets/LONG"), (Method::POST, "/v1/none")]
    {
        let mut http = Http::attested(&appliance.address()).await.unwrap();
        let answer = http.send(method, path, &[], vec![b' '; 2 * 1024 * 1024]).await.unwrap();
        assert!([401, 404].contains(&answer.status), "{path}: {}", answer.status);
        // The connection is in order, and serves the next.
        assert_eq!(http.get("/v1/status").await.unwrap().status, 200, "{path}");
    }

    // Neither does a body that does not say how long it is get further.
    let session = RawSession::open(&appliance.address(), &[1; 32]).await.unwrap();
    let mut stream = session.stream;
    stream
        .write_all(b"POST /v1/sign-in HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let chunk = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
    let sending = async {
        // Until the server has had enough.
        while stream.write_all(&chunk).await.is_ok() && stream.flush().await.is_ok() {
            let mut head = [0; 12];
            if let Ok(Ok(_)) = timeout(Duration::from_millis(100), stream.read_exact(&mut head)).await {
                return head;
            }
        }
        panic!("the connection ended without an answer");
    };
    let head = timeout(Duration::from_secs(20), sending).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 413");

    // A head that does not fit ends the connection, and that one alone.
    let mut http = Http::attested(&appliance.address()).await.unwrap();
    let long = "x".repeat(32 * 1024);
    match http.send(Method::GET, "/v1/status", &[("x-long", &long)], "").await {
        Ok(answer) => assert_eq!(answer.status, 431),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    tenant.channel().await.secrets().await.unwrap();
}

/// Takes a good minute: the limits that it waits for are the product's own.
#[tokio::test(flavor = "multi_thread")]
async fn the_slow_are_cut_off_and_hurt_nobody() {
    let appliance = Appliance::start(Options::default()).await;
    let address = appliance.address();
    let mut slow = JoinSet::new();
    // What is sent first, then a byte a second for ever; and between which seconds the server ends it.
    let cases: [(&str, &[u8], bool, u64, u64); 4] = [
        (
            "a body that drips",
            b"POST /v1/sign-in HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n",
            true,
            25,
            45,
        ),
        (
            "a body that stops",
            b"POST /v1/sign-in HTTP/1.1\r\nhost: a\r\ncontent-length: 900\r\n\r\n{",
            false,
            25,
            45,
        ),
        ("a head that drips", b"GET /v1/status HTTP/1.1\r\nx-slow: ", true, 50, 75),
        ("a session without a request", b"", false, 50, 75),
    ];
    for (case, first, drips, least, most) in cases {
        for _ in 0..4 {
            let address = address.clone();
            slow.spawn(async move {
                let session = RawSession::open(&address, &[1; 32]).await.unwrap();
                let begun = Instant::now();
                let (mut reader, mut writer) = tokio::io::split(session.stream);
                writer.write_all(first).await.unwrap();
                writer.flush().await.unwrap();
                let dripping = tokio::spawn(async move {
                    while drips && writer.write_all(b"x").await.is_ok() && writer.flush().await.is_ok() {
                        sleep(Duration::from_secs(1)).await;
                    }
                    // Kept open: the client's end is not what ends this.
                    sleep(Duration::from_mins(2)).await;
                });
                let mut answer = Vec::new();
                let ended = timeout(Duration::from_secs(most), reader.read_to_end(&mut answer)).await;
                dripping.abort();
                assert!(ended.is_ok(), "{case} was kept for {most} s");
                let took = begun.elapsed().as_secs();
                assert!(took >= least, "{case} was given {took} s, promised are more than {least}");
                let answer = String::from_utf8_lossy(&answer).into_owned();
                assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{case}: {answer}");
            });
        }
    }
    let connector = appliance.connector();
    let mut served = 0;
    let mut good = connector.connect().await.unwrap();
    while !slow.is_empty() {
        tokio::select! {
            Some(ended) = slow.join_next() => ended.unwrap(),
            () = sleep(Duration::from_secs(1)) => {
                // The one that stays, and a newcomer.
                good.status().await.unwrap();
                connector.connect().await.unwrap().status().await.unwrap();
                served += 1;
            }
        }
    }
    assert!(served > 30, "the good client was served {served} times in a minute");
}

/// Connections that were attested and say nothing.
const IDLE: usize = 10_000;
/// What the test is worth running with.
const LEAST_IDLE: usize = 5_000;
/// The parent keeps this many descriptors for itself, and takes two for a connection (`r3e_parent::limits`).
const PARENT_RESERVE: u64 = 4_096;
/// Connections that are kept free for those who work.
const LEFT_FOR_WORK: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_sessions_leave_room_for_one_that_works() {
    // Who may raise the hard limit does; children inherit both limits, and the programs raise their own.
    let needed = 2 * IDLE as u64 + PARENT_RESERVE + 2 * LEFT_FOR_WORK as u64;
    let (_, allowed) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let hard = match setrlimit(Resource::RLIMIT_NOFILE, needed.max(allowed), needed.max(allowed)) {
        Ok(()) => needed.max(allowed),
        Err(_) => allowed,
    };
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let affordable =
        usize::try_from(hard.saturating_sub(PARENT_RESERVE) / 2).unwrap().saturating_sub(LEFT_FOR_WORK);
    let wanted = IDLE.min(affordable);
    assert!(
        wanted >= LEAST_IDLE,
        "the hard limit of {hard} open files is too low: {needed} carry all of this test, 15,000 the least of it"
    );

    let appliance = Appliance::start(Options::default()).await;
    let config = trusting_client(&[ALPN]);
    let address = appliance.address();
    let begun = Instant::now();
    let mut opening = JoinSet::new();
    let mut idle = Vec::with_capacity(wanted);
    for number in 0..wanted {
        let (address, config) = (address.clone(), config.clone());
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
        opening.spawn(async move { RawSession::open_with(&address, &nonce, config).await });
        if opening.len() >= 64 {
            idle.push(opening.join_next().await.unwrap().unwrap().unwrap());
        }
    }
    while let Some(opened) = opening.join_next().await {
        idle.push(opened.unwrap().unwrap());
    }
    let opened_in = begun.elapsed();
    let mut good = appliance.connect().await;
    let status = good.status().await.unwrap();
    println!(
        "{} idle sessions of {IDLE} (the hard limit is {hard} open files) opened in {opened_in:.1?} with {} documents",
        idle.len(),
        status.attestation.calls
    );
    // Those that were opened first may have been idle for longer than the minute that they are given.
    assert!(status.open_sessions > LEAST_IDLE as u64, "{} sessions are open", status.open_sessions);
    let tenant = Tenant::admitted(&appliance, "alice").await;
    let mut channel = tenant.channel().await;
    for number in 0..20 {
        channel.set_secret("S", r3e_e2e::tenant::secret(&number.to_string())).await.unwrap();
        assert_eq!(appliance.connect().await.health().await.unwrap().status, "ok");
    }
    drop(idle);
}
