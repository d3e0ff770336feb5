//! Clients through the parent to a fake enclave: what arrives, what is refused, what it survives.

mod house;

use std::time::{Duration, Instant};

use house::{House, is_closed, noise, ping};
use r3e_proto::host::CHANNEL_PORT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_arrive_unchanged_on_many_connections_at_once() {
    let house = House::start(|_| {}).await;
    let _echo = house.echo().await;
    let mut clients = JoinSet::new();
    for seed in 0..64_u64 {
        let stream = house.connect().await;
        clients.spawn(async move {
            let payload = noise(seed, usize::try_from(seed * seed).unwrap() * 200 + 1);
            let (mut reader, mut writer) = stream.into_split();
            let sending = async {
                for piece in payload.chunks(1 + usize::try_from(seed).unwrap() * 777) {
                    writer.write_all(piece).await.unwrap();
                }
                writer.shutdown().await.unwrap();
            };
            let mut back = Vec::new();
            let ((), read) = tokio::join!(sending, reader.read_to_end(&mut back));
            read.unwrap();
            assert!(back == payload, "connection {seed}");
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let sent: u64 = (0..64).map(|seed| seed * seed * 200 + 1).sum();
    house.wait_for("clients", "open", 0).await;
    assert_eq!(house.count("clients", "bytes_to_enclave").await, sent);
    assert_eq!(house.count("clients", "bytes_to_clients").await, sent);
    assert_eq!(house.count("clients", "accepted").await, 64);
}

#[tokio::test]
async fn either_side_may_finish_first() {
    let house = House::start(|_| {}).await;
    let mut listener = house.enclave.listen(CHANNEL_PORT).await.unwrap();

    // The client ends its half, the enclave still answers.
    let mut client = house.connect().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut enclave = listener.accept().await.unwrap();
    let mut text = String::new();
    enclave.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "question");
    enclave.write_all(b"answer").await.unwrap();
    enclave.shutdown().await.unwrap();
    text.clear();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");

    // The enclave ends its half, the client still sends.
    let mut client = house.connect().await;
    client.write_all(b"a").await.unwrap();
    let mut enclave = listener.accept().await.unwrap();
    enclave.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    client.write_all(b"bc").await.unwrap();
    client.shutdown().await.unwrap();
    text.clear();
    enclave.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "abc");
    house.wait_for("clients", "open", 0).await;
    assert_eq!(house.count("clients", "failed").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_slows_its_sender_and_gets_all() {
    const TOTAL: usize = 64 * 1024 * 1024;
    // More than the kernel's buffers of both sockets hold, less than what is sent.
    const HELD_AT_MOST: usize = 32 * 1024 * 1024;
    let house = House::start(|_| {}).await;
    let mut listener = house.enclave.listen(CHANNEL_PORT).await.unwrap();
    let mut client = house.connect().await;
    client.write_all(b"go").await.unwrap();
    let mut enclave = listener.accept().await.unwrap();
    let piece = noise(7, 64 * 1024);
    let mut sent = 0;
    while let Ok(written) =
        timeout(Duration::from_millis(500), enclave.write(&piece[sent % piece.len()..])).await
    {
        sent += written.unwrap();
        assert!(sent < HELD_AT_MOST, "nobody reads, and {sent} bytes were taken");
    }
    let sending = tokio::spawn({
        let piece = piece.clone();
        async move {
            while sent < TOTAL {
                sent += enclave.write(&piece[sent % piece.len()..]).await.unwrap();
            }
            enclave.shutdown().await.unwrap();
            sent
        }
    });
    let mut got = Vec::with_capacity(TOTAL + piece.len());
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got.len(), sending.await.unwrap());
    assert!(got.chunks(piece.len()).all(|chunk| chunk == &piece[..chunk.len()]));
}

#[tokio::test]
async fn the_caps_refuse_exactly_what_is_over_them() {
    let house = House::start(|settings| settings.forward.max_connections = 3).await;
    let _echo = house.echo().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = house.connect().await;
        ping(&mut client).await;
        held.push(client);
    }
    for refused in 1..=2 {
        assert!(is_closed(&mut house.connect().await).await);
        house.wait_for("clients", "refused_full", refused).await;
    }
    for client in &mut held {
        ping(client).await;
    }
    drop(held.pop());
    house.wait_for("clients", "open", 2).await;
    ping(&mut house.connect().await).await;
    assert_eq!(house.count("clients", "accepted").await, 4);

    let house = House::start(|settings| settings.forward.max_connections_per_address = 2).await;
    let _echo = house.echo().await;
    let mut held = [house.connect().await, house.connect().await];
    for client in &mut held {
        ping(client).await;
    }
    assert!(is_closed(&mut house.connect().await).await);
    house.wait_for("clients", "refused_address", 1).await;
}

#[tokio::test]
async fn the_rate_admits_its_burst_and_then_its_pace() {
    let started = Instant::now();
    let house = House::start(|settings| {
        settings.forward.connections_per_second = 1;
        settings.forward.connection_burst = 5;
    })
    .await;
    let _echo = house.echo().await;
    let (mut admitted, mut refused) = (0, 0);
    for _ in 0..12 {
        let mut client = house.connect().await;
        let _ = client.write_all(b"p").await;
        if matches!(client.read_u8().await, Ok(b'p')) { admitted += 1 } else { refused += 1 }
    }
    let most = 5 + started.elapsed().as_secs() + 1;
    assert!((5..=most).contains(&admitted), "{admitted} of {most}");
    assert_eq!(house.count("clients", "accepted").await, admitted);
    assert_eq!(house.count("clients", "refused_rate").await, refused);
    assert_eq!(admitted + refused, 12);
}

#[tokio::test]
async fn idle_and_silent_clients_are_closed() {
    let house = House::start(|settings| {
        settings.forward.idle_timeout_ms = 300;
        settings.forward.first_byte_timeout_ms = 300;
    })
    .await;
    let mut listener = house.enclave.listen(CHANNEL_PORT).await.unwrap();
    let reached = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(stream) = listener.accept().await {
            held.push(stream);
        }
    });
    let mut silent = house.connect().await;
    assert!(is_closed(&mut silent).await);
    house.wait_for("clients", "silent", 1).await;
    assert_eq!(house.count("clients", "bytes_to_enclave").await, 0);

    let mut idle = house.connect().await;
    idle.write_all(b"x").await.unwrap();
    assert!(is_closed(&mut idle).await);
    house.wait_for("clients", "idle", 1).await;
    house.wait_for("clients", "open", 0).await;
    reached.abort();
}

#[tokio::test]
async fn a_client_waits_for_an_enclave_that_starts_but_not_for_ever() {
    let house = House::start(|settings| settings.forward.dial_patience_ms = 1_000).await;
    let mut early = house.connect().await;
    early.write_all(b"p").await.unwrap();
    assert!(is_closed(&mut early).await);
    house.wait_for("clients", "unreached", 1).await;

    let mut early = house.connect().await;
    early.write_all(b"p").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    let echo = house.echo().await;
    assert_eq!(early.read_u8().await.unwrap(), b'p');

    // An enclave that goes takes its connections with it; the next one is reached as soon as it is there.
    echo.abort();
    let _ = echo.await;
    assert!(is_closed(&mut early).await);
    let _echo = house.echo().await;
    ping(&mut house.connect().await).await;
}

#[tokio::test]
async fn stopping_lets_connections_finish_and_then_cuts_them() {
    let house = House::start(|settings| settings.forward.drain_timeout_ms = 10_000).await;
    let _echo = house.echo().await;
    let mut client = house.connect().await;
    ping(&mut client).await;
    let address = house.parent.local_addr();
    let stopping = tokio::spawn(house.parent.shutdown());
    while TcpStream::connect(address).await.is_ok() {
        sleep(Duration::from_millis(5)).await;
    }
    ping(&mut client).await;
    client.shutdown().await.unwrap();
    assert!(is_closed(&mut client).await);
    timeout(Duration::from_secs(5), stopping).await.expect("nothing is left to wait for").unwrap();

    let house = House::start(|settings| settings.forward.drain_timeout_ms = 200).await;
    let _echo = house.echo().await;
    let mut client = house.connect().await;
    ping(&mut client).await;
    house.parent.shutdown().await;
    assert!(is_closed(&mut client).await);
}
