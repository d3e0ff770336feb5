//! Connections that are kept: what goes over them, and when another one takes their place.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use r3e_egress::{FetchLimits, limits};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;
use world::{Authority, World, read_head};

/// What a server says to the first request of a connection, and to each after it. Each answer's body is the number of the connection.
#[derive(Clone, Copy)]
struct Says {
    headers: &'static str,
    /// Behind the first answer.
    extra: &'static str,
    /// Answers of one connection.
    answers: usize,
}

const HONEST: Says = Says { headers: "", extra: "", answers: usize::MAX };

/// A server, the connections that it had, and the requests that said they would be the last.
async fn serving(says: Says, keeps: bool) -> (World, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let (opened, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, closing) = (opened.clone(), last.clone());
    let mut world = World::serving(&authority, &identity, move |mut tls| {
        let (count, closing) = (count.clone(), closing.clone());
        Box::pin(async move {
            let number = count.fetch_add(1, Ordering::SeqCst);
            for at in 0..says.answers {
                let head = read_head(&mut tls).await;
                if head.is_empty() {
                    return;
                }
                closing.fetch_add(usize::from(head.contains("connection: close")), Ordering::SeqCst);
                let extra = if at == 0 { says.extra } else { "" };
                let (headers, length) = (says.headers, number.to_string().len());
                let answer =
                    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\n\r\n{number}{extra}");
                tls.write_all(answer.as_bytes()).await.unwrap();
            }
            let _ = tls.shutdown().await;
        })
    })
    .await;
    if keeps {
        world.egress = world.egress.keeping();
    }
    (world, opened, last)
}

async fn body(world: &World, limits: &FetchLimits) -> String {
    let response = world.get_within("https://api.example.com/", limits).await.unwrap();
    String::from_utf8(response.body.to_vec()).unwrap()
}

/// The connections by which requests were answered, one after the other.
async fn bodies(world: &World, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..count {
        bodies.push(body(world, &FetchLimits::default()).await);
        // What a server says or does behind its answer comes in.
        sleep(Duration::from_millis(20)).await;
    }
    bodies
}

#[tokio::test]
async fn who_asks_again_is_answered_over_the_same_connection() {
    let (world, opened, last) = serving(HONEST, true).await;
    assert_eq!(bodies(&world, 3).await, ["0", "0", "0"]);
    assert_eq!((opened.load(Ordering::SeqCst), last.load(Ordering::SeqCst)), (1, 0));
    // Two at the same time take two.
    let limits = FetchLimits::default();
    let (one, other) = tokio::join!(body(&world, &limits), body(&world, &limits));
    assert_ne!(one, other);
    assert_eq!(opened.load(Ordering::SeqCst), 2);
    // Another server, and another limit of heads, has its own.
    let short = FetchLimits { max_header_bytes: limits::MIN_RESPONSE_HEADER_BYTES, ..limits };
    assert_eq!(body(&world, &short).await, "2");
    assert!(world.get("https://api.example.com:8443/").await.is_ok());
    assert_eq!(opened.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn nothing_is_kept_where_nobody_asked_for_it() {
    let (world, opened, last) = serving(HONEST, false).await;
    assert_eq!(bodies(&world, 2).await, ["0", "1"]);
    assert_eq!((opened.load(Ordering::SeqCst), last.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_followed_by_another() {
    for headers in ["", "connection: close\r\n"] {
        let says = Says { headers, answers: 1, ..HONEST };
        let (world, ..) = serving(says, true).await;
        assert_eq!(bodies(&world, 3).await, ["0", "1", "2"], "{headers:?}");
    }
    // It ends while the request is on its way.
    let (world, ..) = serving(Says { answers: 1, ..HONEST }, true).await;
    let limits = FetchLimits::default();
    assert_eq!(body(&world, &limits).await, "0");
    assert_eq!(body(&world, &limits).await, "1");
}

#[tokio::test]
async fn what_a_server_says_unasked_answers_nobody() {
    let extra = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx";
    let (world, ..) = serving(Says { extra, ..HONEST }, true).await;
    assert_eq!(bodies(&world, 3).await, ["0", "1", "2"]);
}

#[tokio::test]
async fn none_is_kept_for_long() {
    let (world, opened, _) = serving(HONEST, true).await;
    let limits = FetchLimits::default();
    assert_eq!(body(&world, &limits).await, "0");
    let after = async |pause: Duration| {
        tokio::time::pause();
        tokio::time::advance(pause).await;
        tokio::time::resume();
        body(&world, &limits).await
    };
    assert_eq!(after(limits::MAX_IDLE / 2).await, "0");
    assert_eq!(after(limits::MAX_IDLE).await, "1", "it waited too long");
    // One that is used all the time ends all the same: a server proves its name again.
    let mut turns = 0;
    while after(limits::MAX_IDLE / 2).await == "1" {
        turns += 1;
        assert!(limits::MAX_IDLE / 2 * turns <= limits::MAX_CONNECTION_AGE, "too old");
    }
    assert_eq!(opened.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn those_that_wait_give_way_to_others() {
    let (world, opened, _) = serving(HONEST, true).await;
    // More at the same time than are kept of one server.
    let many = limits::MAX_KEPT_OF_ONE + 8;
    let mut asked = Vec::new();
    let world = Arc::new(world);
    for _ in 0..many {
        let world = Arc::clone(&world);
        asked.push(tokio::spawn(async move { body(&world, &FetchLimits::default()).await }));
    }
    for one in asked {
        one.await.unwrap();
    }
    let before = opened.load(Ordering::SeqCst);
    // Each place can be had, though some are kept: of another server, which finds none.
    let mut asked = Vec::new();
    for _ in 0..limits::MAX_CONNECTIONS {
        let world = Arc::clone(&world);
        asked.push(tokio::spawn(async move { world.get("https://api.example.com:8443/").await.map(drop) }));
    }
    for one in asked {
        one.await.unwrap().unwrap();
    }
    assert!(opened.load(Ordering::SeqCst) > before);
}

#[tokio::test]
async fn where_one_is_dead_the_others_are_not_tried() {
    // Of each connection, one answer comes and nothing after it, as where somebody between drops what is sent.
    let (mut world, count) = silent_after_one().await;
    world.egress = world.egress.keeping();
    let world = Arc::new(world);
    let limits = FetchLimits { header_timeout_ms: 400, ..FetchLimits::default() };
    let mut asked = Vec::new();
    for _ in 0..4 {
        let world = Arc::clone(&world);
        asked.push(tokio::spawn(async move { body(&world, &FetchLimits::default()).await }));
    }
    for one in asked {
        one.await.unwrap();
    }
    let before = count.load(Ordering::SeqCst);
    assert_eq!(body(&world, &limits).await, before.to_string(), "a new one, in the same time");
    // The same where whoever asks gives up.
    let gave_up =
        tokio::time::timeout(Duration::from_millis(100), body(&world, &FetchLimits::default())).await;
    assert!(gave_up.is_err());
    assert_eq!(body(&world, &limits).await, (before + 1).to_string());
}

async fn silent_after_one() -> (World, Arc<AtomicUsize>) {
    let authority = Authority::new("test root");
    let identity = authority.identity("api.example.com");
    let opened = Arc::new(AtomicUsize::new(0));
    let count = opened.clone();
    let world = World::serving(&authority, &identity, move |mut tls| {
        let count = count.clone();
        Box::pin(async move {
            let number = count.fetch_add(1, Ordering::SeqCst).to_string();
            read_head(&mut tls).await;
            let length = number.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{number}");
            tls.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        })
    })
    .await;
    (world, opened)
}
