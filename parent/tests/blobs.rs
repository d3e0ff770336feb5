//! The blob store as the enclave sees it, over its socket.

mod house;

use house::{BlobClient, House, commit, noise, settings};
use r3e_parent::Parent;
use r3e_proto::host::BLOB_PORT;
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_HOST_FRAME_BYTES, MAX_SLOT_BYTES};
use r3e_transport::EnclaveTransport;
use r3e_transport::frame::write_frame;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn what_is_committed_is_read_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let enclave = EnclaveTransport::new(settings.enclave.clone());
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.ask(Operation::Read { name: [1; 32] }).await, Outcome::Read(None));
    assert_eq!(client.list().await, []);

    let records: Vec<_> =
        (0..7).map(|n| ([n; 32], noise(n.into(), MAX_BLOB_BYTES - usize::from(n)))).collect();
    let mut head: Option<Vec<u8>> = None;
    for (turn, pair) in records.chunks(3).enumerate() {
        let next = format!("head {turn}").into_bytes();
        assert_eq!(client.ask(commit(head.as_deref(), &next, pair.to_vec())).await, Outcome::Committed);
        head = Some(next);
    }
    assert_eq!(
        client.ask(Operation::Read { name: [3; 32] }).await,
        Outcome::Read(Some(records[3].1.clone()))
    );
    parent.shutdown().await;
    assert!(client.receive().await.is_none());

    let parent = Parent::start(settings).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(head));
    assert!(client.list().await == records);
    parent.shutdown().await;
}

#[tokio::test]
async fn a_commit_on_another_head_changes_nothing() {
    let house = House::start(|_| {}).await;
    let (mut one, mut two) = (BlobClient::dial(&house.enclave).await, BlobClient::dial(&house.enclave).await);
    assert_eq!(one.ask(commit(None, b"1", vec![([1; 32], b"one".to_vec())])).await, Outcome::Committed);
    // Two that follow the same head: the second to arrive does not stand, whoever sent it.
    assert_eq!(two.ask(commit(Some(b"1"), b"2", vec![([1; 32], b"two".to_vec())])).await, Outcome::Committed);
    for stale in [None, Some(&b"1"[..]), Some(b"3")] {
        assert_eq!(one.ask(commit(stale, b"x", vec![([1; 32], b"x".to_vec())])).await, Outcome::Conflict);
    }
    assert_eq!(one.ask(Operation::Head).await, Outcome::Head(Some(b"2".to_vec())));
    assert_eq!(one.list().await, [([1; 32], b"two".to_vec())]);
    assert_eq!(house.count("blobs", "conflicts").await, 3);
    assert_eq!(house.count("blobs", "commits").await, 2);
}

#[tokio::test]
async fn the_slot_is_kept_beside_the_records_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let enclave = EnclaveTransport::new(settings.enclave.clone());
    let parent = Parent::start(settings.clone()).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    let write = |expected: Option<&[u8]>, value: &[u8]| Operation::SlotWrite {
        expected: expected.map(|value| Sha256::digest(value).into()),
        value: value.to_vec(),
    };
    assert_eq!(client.ask(Operation::SlotRead).await, Outcome::Slot(None));
    assert_eq!(client.ask(write(None, b"one")).await, Outcome::Committed);
    for stale in [None, Some(&b"two"[..]), Some(b"")] {
        assert_eq!(client.ask(write(stale, b"x")).await, Outcome::Conflict);
    }
    let largest = noise(1, MAX_SLOT_BYTES);
    assert_eq!(client.ask(write(Some(b"one"), &largest)).await, Outcome::Committed);
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.list().await, []);
    parent.shutdown().await;

    let parent = Parent::start(settings).await.unwrap();
    let mut client = BlobClient::dial(&enclave).await;
    assert_eq!(client.ask(commit(None, b"1", vec![([1; 32], b"one".to_vec())])).await, Outcome::Committed);
    assert_eq!(client.ask(Operation::SlotRead).await, Outcome::Slot(Some(largest)));
    parent.shutdown().await;
}

#[tokio::test]
async fn pipelined_commits_are_done_and_answered_in_order() {
    const COMMITS: u32 = 200;
    let house = House::start(|_| {}).await;
    let mut client = BlobClient::dial(&house.enclave).await;
    let mut head: Option<Vec<u8>> = None;
    let mut ids = Vec::new();
    let mut answered = 0;
    for n in 0..COMMITS {
        let next = n.to_be_bytes().to_vec();
        ids.push(client.send(commit(head.as_deref(), &next, vec![([7; 32], next.clone())])).await.unwrap());
        head = Some(next);
        // The parent holds so many requests and no more; leave no more unread than that.
        if n >= 50 {
            let response = client.receive().await.unwrap();
            assert_eq!((response.id, response.outcome), (ids[answered], Outcome::Committed));
            answered += 1;
        }
    }
    for id in &ids[answered..] {
        let response = client.receive().await.unwrap();
        assert_eq!((response.id, response.outcome), (*id, Outcome::Committed));
    }
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(head));
    assert_eq!(house.count("blobs", "commits").await, u64::from(COMMITS));
    assert!(house.count("blobs", "syncs").await <= u64::from(COMMITS));
}

#[tokio::test]
async fn a_client_that_reads_no_answers_is_held_back_and_harms_nobody() {
    let house = House::start(|_| {}).await;
    let mut greedy = BlobClient::dial(&house.enclave).await;
    let large = noise(1, MAX_BLOB_BYTES);
    assert_eq!(greedy.ask(commit(None, b"1", vec![([1; 32], large.clone())])).await, Outcome::Committed);
    let mut sent = 0;
    let asking = async {
        loop {
            greedy.send(Operation::Read { name: [1; 32] }).await.unwrap();
            sent += 1;
            assert!(sent < 100_000, "requests are taken without end");
        }
    };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), asking).await;
    let mut other = BlobClient::dial(&house.enclave).await;
    assert_eq!(other.ask(Operation::Head).await, Outcome::Head(Some(b"1".to_vec())));
    for _ in 0..sent {
        assert_eq!(greedy.receive().await.unwrap().outcome, Outcome::Read(Some(large.clone())));
    }
}

#[tokio::test]
async fn hostile_frames_close_their_connection_alone() {
    let house = House::start(|_| {}).await;
    let mut bystander = BlobClient::dial(&house.enclave).await;
    assert_eq!(bystander.ask(commit(None, b"1", Vec::new())).await, Outcome::Committed);
    let framed = |body: &[u8]| {
        let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        bytes.extend(body);
        bytes
    };
    let over = u32::try_from(MAX_HOST_FRAME_BYTES + 1).unwrap().to_be_bytes().to_vec();
    let noisy = framed(&noise(3, 1000));
    let hostile =
        [vec![0; 4], vec![0xff; 8], over, vec![0, 0, 0, 9, 1], noisy, framed(b"\xa0"), framed(&[0x9f; 5000])];
    for (closed, bytes) in (1_u64..).zip(&hostile) {
        let mut stream = house.enclave.dial_parent(BLOB_PORT).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{closed}");
        house.wait_for("blobs", "malformed", closed).await;
    }
    // One that names a record twice is well-formed: it is answered, and changes nothing.
    let twice = commit(Some(b"1"), b"2", vec![([1; 32], vec![1]), ([1; 32], vec![2])]);
    assert!(matches!(bystander.ask(twice).await, Outcome::Failed(_)));
    assert_eq!(bystander.ask(Operation::Head).await, Outcome::Head(Some(b"1".to_vec())));
    assert_eq!(bystander.ask(commit(Some(b"1"), b"2", Vec::new())).await, Outcome::Committed);
}

#[tokio::test]
async fn a_connection_that_breaks_off_inside_a_commit_leaves_nothing() {
    let house = House::start(|_| {}).await;
    let operation = commit(None, b"1", vec![([1; 32], noise(1, 100_000))]);
    let body = r3e_proto::host::blob::Request { id: 1, operation }.encode();
    let mut whole = Vec::new();
    write_frame(&mut whole, &body, MAX_HOST_FRAME_BYTES).await.unwrap();
    for cut in [1, 4, 5, whole.len() / 2, whole.len() - 1] {
        let mut stream = house.enclave.dial_parent(BLOB_PORT).await.unwrap();
        stream.write_all(&whole[..cut]).await.unwrap();
    }
    let mut client = BlobClient::dial(&house.enclave).await;
    house.wait_for("blobs", "malformed", 5).await;
    assert_eq!(client.ask(Operation::Head).await, Outcome::Head(None));
    assert_eq!(client.list().await, []);
}
