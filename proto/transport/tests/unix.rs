//! The seam over unix sockets, both directions, with peers that misbehave.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use r3e_transport::limits::{LINE_TIMEOUT_MS, MAX_PENDING_ACCEPTS};
use r3e_transport::{EnclaveTransport, Endpoint, ParentTransport, TransportError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

struct House {
    _folder: TempDir,
    path: PathBuf,
    enclave: EnclaveTransport,
    parent: ParentTransport,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("enclave.sock");
    let endpoint = Endpoint::Unix { path: path.clone() };
    let enclave = EnclaveTransport::new(endpoint.clone());
    House { _folder: folder, path, enclave, parent: ParentTransport::new(endpoint) }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_parent_reaches_each_port_of_the_enclave() {
    let house = house();
    let mut first = house.enclave.listen(5000).await.unwrap();
    let mut second = house.enclave.listen(5001).await.unwrap();
    assert_eq!(mode(&house.path), 0o600);

    let mut to_second = house.parent.dial_enclave(5001).await.unwrap();
    let mut to_first = house.parent.dial_enclave(5000).await.unwrap();
    to_first.write_all(b"one").await.unwrap();
    to_second.write_all(b"two").await.unwrap();

    let mut bytes = [0; 3];
    first.accept().await.unwrap().read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"one");
    second.accept().await.unwrap().read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"two");
}

#[tokio::test]
async fn the_enclave_reaches_each_port_of_the_parent() {
    let house = house();
    let mut blobs = house.parent.listen(5002).await.unwrap();
    let mut egress = house.parent.listen(5003).await.unwrap();
    let blob_socket = house.path.with_file_name("enclave.sock_5002");
    assert_eq!(mode(&blob_socket), 0o600);

    let mut near = house.enclave.dial_parent(5003).await.unwrap();
    near.write_all(b"x").await.unwrap();
    assert_eq!(egress.accept().await.unwrap().read_u8().await.unwrap(), b'x');
    let mut near = house.enclave.dial_parent(5002).await.unwrap();
    near.write_all(b"y").await.unwrap();
    assert_eq!(blobs.accept().await.unwrap().read_u8().await.unwrap(), b'y');

    drop(blobs);
    assert!(!blob_socket.exists(), "a listener takes its file with it");
}

#[tokio::test]
async fn each_half_closes_by_itself() {
    let house = house();
    let mut listener = house.enclave.listen(5000).await.unwrap();
    let mut near = house.parent.dial_enclave(5000).await.unwrap();
    let mut far = listener.accept().await.unwrap();

    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    let mut text = String::new();
    far.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "question");
    far.write_all(b"answer").await.unwrap();
    far.shutdown().await.unwrap();
    text.clear();
    near.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "answer");

    drop(far);
    near.shutdown().await.expect("closing the half of a connection that is gone is no failure");
}

#[tokio::test]
async fn bytes_right_behind_the_line_reach_the_listener() {
    let house = house();
    let mut listener = house.enclave.listen(5000).await.unwrap();
    let mut raw = UnixStream::connect(&house.path).await.unwrap();
    raw.write_all(b"CONNECT 5000\n\x16\x03\x01hello").await.unwrap();
    let mut got = [0; 8];
    listener.accept().await.unwrap().read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"\x16\x03\x01hello");
}

#[tokio::test]
async fn a_port_without_a_listener_is_refused() {
    let house = house();
    assert!(
        matches!(house.parent.dial_enclave(5000).await, Err(TransportError::Dial { .. })),
        "no enclave yet"
    );
    let listener = house.enclave.listen(5000).await.unwrap();
    assert!(matches!(house.parent.dial_enclave(5001).await, Err(TransportError::Refused { .. })));
    assert!(matches!(house.enclave.dial_parent(5002).await, Err(TransportError::Dial { .. })));

    // The port is free again once its listener is gone, and the socket stays for the transport that owns it.
    drop(listener);
    assert!(matches!(house.parent.dial_enclave(5000).await, Err(TransportError::Refused { .. })));
    let mut again = house.enclave.listen(5000).await.unwrap();
    let (dialled, accepted) = tokio::join!(house.parent.dial_enclave(5000), again.accept());
    dialled.unwrap();
    accepted.unwrap();

    drop((again, house.enclave));
    tokio::task::yield_now().await;
    assert!(!house.path.exists(), "the last user of the socket removes it");
}

#[tokio::test]
async fn a_port_has_one_listener_and_a_socket_one_process() {
    let house = house();
    let _listener = house.enclave.listen(5000).await.unwrap();
    assert!(matches!(house.enclave.listen(5000).await, Err(TransportError::InUse { .. })));
    let other = EnclaveTransport::new(Endpoint::Unix { path: house.path.clone() });
    assert!(matches!(other.listen(5001).await, Err(TransportError::InUse { .. })));
    assert!(house.path.exists(), "the refused one leaves the standing one alone");
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_another_file_is_not() {
    let house = house();
    drop(std::os::unix::net::UnixListener::bind(&house.path).unwrap());
    assert!(house.path.exists());
    let _listener = house.enclave.listen(5000).await.unwrap();
    assert_eq!(mode(&house.path), 0o600);

    let precious = house.path.with_file_name("enclave.sock_5002");
    std::fs::write(&precious, "precious").unwrap();
    assert!(matches!(house.parent.listen(5002).await, Err(TransportError::NotASocket { .. })));
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");

    // Not through a link either: what it points to is not ours to judge.
    let link = house.path.with_file_name("enclave.sock_5003");
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    assert!(matches!(house.parent.listen(5003).await, Err(TransportError::NotASocket { .. })));
}

#[tokio::test]
async fn a_listener_leaves_its_successors_file_alone() {
    let house = house();
    let socket = house.path.with_file_name("enclave.sock_5002");
    let old = house.parent.listen(5002).await.unwrap();
    std::fs::remove_file(&socket).unwrap();
    let _new = house.parent.listen(5002).await.unwrap();
    drop(old);
    assert!(socket.exists());
}

#[tokio::test]
async fn malformed_and_endless_lines_are_closed_unanswered() {
    let house = house();
    let mut listener = house.enclave.listen(5000).await.unwrap();
    for line in [
        &b"CONNECT x\n"[..],
        b"\n",
        b"CONNECT 5000 5000 5000 5000 5000 5000",
        b"\x00\xff\n",
        b"CONNECT 5001\n",
    ] {
        let mut raw = UnixStream::connect(&house.path).await.unwrap();
        raw.write_all(line).await.unwrap();
        let mut answer = Vec::new();
        // Closed with bytes unread, a unix socket reports a reset; either way nothing was said.
        let _ = raw.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{line:?}");
    }
    let (dialled, accepted) = tokio::join!(house.parent.dial_enclave(5000), listener.accept());
    dialled.unwrap();
    accepted.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_slow_line_is_closed_and_holds_up_nobody() {
    let house = house();
    let mut listener = house.enclave.listen(5000).await.unwrap();
    let mut slow = UnixStream::connect(&house.path).await.unwrap();
    slow.write_all(b"CONNECT 50").await.unwrap();

    let (dialled, accepted) = tokio::join!(house.parent.dial_enclave(5000), listener.accept());
    dialled.unwrap();
    accepted.unwrap();

    tokio::time::sleep(Duration::from_millis(LINE_TIMEOUT_MS + 1)).await;
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_silent_enclave_does_not_hold_the_dial() {
    let house = house();
    let silent = UnixListener::bind(&house.path).unwrap();
    let keep = tokio::spawn(async move {
        let (stream, _) = silent.accept().await.unwrap();
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert!(matches!(house.parent.dial_enclave(5000).await, Err(TransportError::DialTimedOut { .. })));
    keep.abort();
}

#[tokio::test]
async fn an_answer_of_another_form_is_refused() {
    let house = house();
    let odd = UnixListener::bind(&house.path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = odd.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert!(matches!(house.parent.dial_enclave(5000).await, Err(TransportError::Answer { .. })));
}

#[tokio::test]
async fn a_burst_larger_than_every_queue_gets_through() {
    let house = house();
    let mut listener = house.enclave.listen(5000).await.unwrap();
    let burst = MAX_PENDING_ACCEPTS * 4;
    let mut dials = tokio::task::JoinSet::new();
    for _ in 0..burst {
        let parent = house.parent.clone();
        dials.spawn(async move { parent.dial_enclave(5000).await });
    }
    let mut accepted = Vec::new();
    for _ in 0..burst {
        accepted.push(listener.accept().await.unwrap());
    }
    while let Some(dialled) = dials.join_next().await {
        dialled.unwrap().unwrap();
    }
}
