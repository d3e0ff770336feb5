//! The blob store as the enclave sees it, over its socket, on this machine's disk.

mod house;

use house::conformance::conformance;
use house::{BlobClient, House, commit, noise};
use r3e_parent::StoreSettings;
use r3e_proto::host::BLOB_PORT;
use r3e_proto::host::blob::{Operation, Outcome};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_HOST_FRAME_BYTES};
use r3e_transport::frame::write_frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

conformance!(((), StoreSettings::Embedded));

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
