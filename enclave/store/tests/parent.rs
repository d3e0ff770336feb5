//! The store over the real transport, with a parent at the other end that keeps the protocol, or does not.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod keeper;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keeper::{Keeper, keys, space, uncached};
use r3e_proto::{
    host::{
        BLOB_PORT,
        blob::{Operation, Outcome, Request, Response},
    },
    limits::{MAX_HOST_FRAME_BYTES, MAX_SLOT_BYTES},
};
use r3e_store::{BlobError, BlobStore, CommitAnswer, LinkError, ParentBlobs, Store, StoreError};
use r3e_transport::{
    EnclaveTransport, Endpoint, ParentTransport, Stream,
    frame::{read_frame, write_frame},
};
use sha2::{Digest, Sha256};
use tokio::{io::AsyncWriteExt, task::JoinHandle};

/// What the parent does with a request.
enum Deed {
    Answer(Response),
    /// These bytes on the stream, then what comes next.
    Raw(Vec<u8>),
    Close,
    Silence,
}

fn endpoint(folder: &Path) -> Endpoint {
    Endpoint::Unix { path: folder.join("enclave.sock") }
}

/// A parent on `folder` that does `deed` for each request, counted from 0 over all connections.
async fn parent<F, D>(folder: &Path, deed: F) -> JoinHandle<()>
where
    F: Fn(usize, Request) -> D + Send + Sync + 'static,
    D: Future<Output = Deed> + Send,
{
    let mut listener = ParentTransport::new(endpoint(folder)).listen(BLOB_PORT).await.unwrap();
    let (deed, count) = (Arc::new(deed), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            serve(stream, &*deed, &count).await;
        }
    })
}

async fn serve<F, D>(mut stream: Stream, deed: &F, count: &AtomicUsize)
where
    F: Fn(usize, Request) -> D,
    D: Future<Output = Deed>,
{
    while let Ok(body) = read_frame(&mut stream, MAX_HOST_FRAME_BYTES).await {
        let request = Request::decode(&body).unwrap();
        match deed(count.fetch_add(1, Ordering::SeqCst), request).await {
            Deed::Answer(response) => {
                if write_frame(&mut stream, &response.encode(), MAX_HOST_FRAME_BYTES).await.is_err() {
                    return;
                }
            }
            Deed::Raw(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Deed::Close => return,
            Deed::Silence => {}
        }
    }
}

async fn honest(keeper: &Keeper, request: Request) -> Response {
    let outcome = match request.operation {
        Operation::Head => Outcome::Head(keeper.head().await.unwrap()),
        Operation::Read { name } => Outcome::Read(keeper.read(name).await.unwrap()),
        Operation::List { after } => {
            let page = keeper.list(after).await.unwrap();
            Outcome::List { records: page.records, more: page.more }
        }
        Operation::Commit(commit) => match keeper.commit(&commit).await.unwrap() {
            CommitAnswer::Committed => Outcome::Committed,
            CommitAnswer::Conflict => Outcome::Conflict,
        },
        Operation::SlotRead => Outcome::Slot(keeper.slot.lock().unwrap().clone()),
        Operation::SlotWrite { expected, value } => {
            let mut slot = keeper.slot.lock().unwrap();
            if expected == slot.as_deref().map(|slot| Sha256::digest(slot).into()) {
                *slot = Some(value);
                Outcome::Committed
            } else {
                Outcome::Conflict
            }
        }
    };
    Response { id: request.id, outcome }
}

async fn honest_parent(folder: &Path, keeper: Arc<Keeper>) -> JoinHandle<()> {
    parent(folder, move |_, request| {
        let keeper = keeper.clone();
        async move { Deed::Answer(honest(&keeper, request).await) }
    })
    .await
}

fn blobs(folder: &Path) -> ParentBlobs {
    ParentBlobs::with_timeout(EnclaveTransport::new(endpoint(folder)), BLOB_PORT, 10_000)
}

async fn stop(parent: JoinHandle<()>) {
    parent.abort();
    let _ = parent.await;
}

#[tokio::test]
async fn a_store_works_over_the_transport_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = honest_parent(folder.path(), keeper.clone()).await;
    let store = Store::open(Arc::new(blobs(folder.path())), keys(1), uncached()).await.unwrap();
    let writers: Vec<_> = (0..100u8)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&space(), &index.to_string(), vec![index; 1000]).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let largest = vec![7; r3e_store::limits::MAX_VALUE_BYTES];
    store.put(&space(), "largest", largest.clone()).await.unwrap();
    drop(store);

    let store = Store::open(Arc::new(blobs(folder.path())), keys(1), uncached()).await.unwrap();
    let readers: Vec<_> = (0..100u8)
        .map(|index| {
            let store = store.clone();
            tokio::spawn(async move { (index, store.get(&space(), &index.to_string()).await) })
        })
        .collect();
    for reader in readers {
        let (index, record) = reader.await.unwrap();
        assert_eq!(record.unwrap().unwrap().value.as_bytes(), vec![index; 1000]);
    }
    assert_eq!(store.get(&space(), "largest").await.unwrap().unwrap().value.as_bytes(), largest);
}

#[tokio::test]
async fn the_slot_is_written_over_the_value_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = honest_parent(folder.path(), keeper.clone()).await;
    let blobs = blobs(folder.path());
    let digest = |value: &[u8]| Some(<[u8; 32]>::from(Sha256::digest(value)));
    assert_eq!(blobs.slot_read().await.unwrap(), None);
    assert_eq!(blobs.slot_write(None, b"one".to_vec()).await.unwrap(), CommitAnswer::Committed);
    assert_eq!(blobs.slot_write(None, b"two".to_vec()).await.unwrap(), CommitAnswer::Conflict);
    assert_eq!(blobs.slot_write(digest(b"two"), b"two".to_vec()).await.unwrap(), CommitAnswer::Conflict);
    assert_eq!(blobs.slot_read().await.unwrap(), Some(b"one".to_vec()));
    let largest = vec![7; MAX_SLOT_BYTES];
    assert_eq!(blobs.slot_write(digest(b"one"), largest.clone()).await.unwrap(), CommitAnswer::Committed);
    assert_eq!(blobs.slot_read().await.unwrap(), Some(largest));
    // It is no part of the sealed state.
    assert_eq!(blobs.head().await.unwrap(), None);
    assert_eq!(keeper.disk(), keeper::Disk::default());
}

#[tokio::test]
async fn a_parent_that_is_restarted_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let first = honest_parent(folder.path(), keeper.clone()).await;
    let store = Store::open(Arc::new(blobs(folder.path())), keys(1), uncached()).await.unwrap();
    for round in 0..5u8 {
        store.put(&space(), "k", vec![round]).await.unwrap();
    }
    stop(first).await;
    // The read fails, or waits for the parent; the write waits.
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.put(&space(), "k", vec![9]).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(matches!(store.get(&space(), "k").await, Err(StoreError::Unavailable(_))));
    let _second = honest_parent(folder.path(), keeper).await;
    writer.await.unwrap().unwrap();
    assert_eq!(store.get(&space(), "k").await.unwrap().unwrap().value.as_bytes(), [9]);
}

#[tokio::test]
async fn no_parent_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::open(Arc::new(blobs(folder.path())), keys(1), uncached()).await;
    let Err(StoreError::Unavailable(BlobError::Lost(cause))) = opened else { panic!("{opened:?}") };
    assert!(matches!(*cause, LinkError::Dial(_)));
}

#[tokio::test]
async fn answers_may_come_in_another_order() {
    let folder = tempfile::tempdir().unwrap();
    let held = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    // Nothing is answered before five questions are there; then the last one is answered first.
    let _parent = parent(folder.path(), move |_, request: Request| {
        let held = held.clone();
        async move {
            let mut held = held.lock().await;
            let Operation::Read { name } = request.operation else { return Deed::Close };
            held.push(Response { id: request.id, outcome: Outcome::Read(Some(name.to_vec())) });
            if held.len() < 5 {
                return Deed::Silence;
            }
            let mut bytes = Vec::new();
            while let Some(response) = held.pop() {
                write_frame(&mut bytes, &response.encode(), MAX_HOST_FRAME_BYTES).await.unwrap();
            }
            Deed::Raw(bytes)
        }
    })
    .await;
    let blobs = blobs(folder.path());
    let readers: Vec<_> = (0..5u8)
        .map(|index| {
            let blobs = blobs.clone();
            tokio::spawn(async move { blobs.read([index; 32]).await.unwrap() })
        })
        .collect();
    for (index, reader) in (0..5u8).zip(readers) {
        assert_eq!(reader.await.unwrap(), Some(vec![index; 32]));
    }
}

/// The first answer is what `deed` says, all later ones are honest: the broken one is refused for the reason that
/// `expected` accepts, and the connection after it works.
async fn assert_refused<F>(deed: F, expected: fn(&LinkError) -> bool)
where
    F: Fn(Request) -> Deed + Send + Sync + 'static,
{
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = parent(folder.path(), move |count, request: Request| {
        let keeper = keeper.clone();
        let first = (count == 0).then(|| deed(request.clone()));
        async move {
            match first {
                Some(deed) => deed,
                None => Deed::Answer(honest(&keeper, request).await),
            }
        }
    })
    .await;
    let blobs = blobs(folder.path());
    let refused = blobs.head().await;
    let Err(BlobError::Lost(cause)) = &refused else { panic!("{refused:?}") };
    assert!(expected(cause), "{cause:?}");
    assert_eq!(blobs.head().await.unwrap(), None);
}

#[tokio::test]
async fn an_answer_with_a_wrong_id() {
    assert_refused(
        |request| Deed::Answer(Response { id: request.id + 1, outcome: Outcome::Head(None) }),
        |cause| matches!(cause, LinkError::Protocol { .. }),
    )
    .await;
}

#[tokio::test]
async fn an_answer_of_another_kind() {
    for outcome in [
        Outcome::Read(None),
        Outcome::Committed,
        Outcome::Conflict,
        Outcome::List { records: Vec::new(), more: false },
        Outcome::Slot(None),
    ] {
        assert_refused(
            move |request| Deed::Answer(Response { id: request.id, outcome: outcome.clone() }),
            |cause| matches!(cause, LinkError::Protocol { .. }),
        )
        .await;
    }
}

#[tokio::test]
async fn an_answer_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = parent(folder.path(), move |count, request| {
        let keeper = keeper.clone();
        async move {
            let response = honest(&keeper, request).await;
            if count > 0 {
                return Deed::Answer(response);
            }
            let mut bytes = Vec::new();
            for _ in 0..2 {
                write_frame(&mut bytes, &response.encode(), MAX_HOST_FRAME_BYTES).await.unwrap();
            }
            Deed::Raw(bytes)
        }
    })
    .await;
    let blobs = blobs(folder.path());
    assert_eq!(blobs.head().await.unwrap(), None);
    // The second answer ends the connection; a question that meets this is lost, the next one is not.
    let _ = blobs.head().await;
    assert_eq!(blobs.head().await.unwrap(), None);
}

#[tokio::test]
async fn frames_of_garbage() {
    let framed = |body: &[u8]| [u32::try_from(body.len()).unwrap().to_be_bytes().as_slice(), body].concat();
    let message: fn(&LinkError) -> bool = |cause| matches!(cause, LinkError::Message(_));
    let frame: fn(&LinkError) -> bool = |cause| matches!(cause, LinkError::Frame(_));
    let cases = [
        (framed(&[0xff; 100]), message),
        (framed(&[0]), message),
        (framed(b"\xa2\x00\x01\x01\x18\x63"), message),
        (vec![0; 4], frame),
        (vec![0xff; 64], frame),
        (u32::try_from(MAX_HOST_FRAME_BYTES + 1).unwrap().to_be_bytes().to_vec(), frame),
    ];
    for (bytes, expected) in cases {
        assert_refused(move |_| Deed::Raw(bytes.clone()), expected).await;
    }
}

#[tokio::test]
async fn a_connection_closed_instead_of_an_answer() {
    assert_refused(|_| Deed::Close, |cause| matches!(cause, LinkError::Frame(_))).await;
}

#[tokio::test]
async fn an_answer_that_never_comes() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = parent(folder.path(), move |count, request| {
        let keeper = keeper.clone();
        async move { if count == 0 { Deed::Silence } else { Deed::Answer(honest(&keeper, request).await) } }
    })
    .await;
    let blobs = ParentBlobs::with_timeout(EnclaveTransport::new(endpoint(folder.path())), BLOB_PORT, 200);
    let outcome = blobs.head().await;
    assert!(matches!(outcome, Err(BlobError::TimedOut { .. } | BlobError::Lost(_))), "{outcome:?}");
    // The stuck connection is given up, and another is made.
    while blobs.head().await.is_err() {}
}

#[tokio::test]
async fn a_failure_that_the_parent_admits_leaves_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let _parent = parent(folder.path(), move |count, request: Request| {
        let keeper = keeper.clone();
        async move {
            if count == 0 {
                return Deed::Answer(Response {
                    id: request.id,
                    outcome: Outcome::Failed("disk full".into()),
                });
            }
            Deed::Answer(honest(&keeper, request).await)
        }
    })
    .await;
    let blobs = blobs(folder.path());
    assert!(matches!(blobs.head().await, Err(BlobError::Failed { message }) if message == "disk full"));
    assert_eq!(blobs.head().await.unwrap(), None);
}

/// The parent breaks the connection at every fourth request, at times before it does what was asked and at times
/// after: every write is applied once.
#[tokio::test]
async fn connections_that_break_all_the_time_lose_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new();
    let kept = keeper.clone();
    let _parent = parent(folder.path(), move |count, request| {
        let kept = kept.clone();
        async move {
            match count % 8 {
                3 => Deed::Close,
                7 => {
                    honest(&kept, request).await;
                    Deed::Close
                }
                _ => Deed::Answer(honest(&kept, request).await),
            }
        }
    })
    .await;
    let store = loop {
        match Store::open(Arc::new(blobs(folder.path())), keys(1), uncached()).await {
            Ok(store) => break store,
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    for round in 0..20u8 {
        store.put(&space(), "k", vec![round]).await.unwrap();
    }
    drop(store);
    let store = Store::open(keeper, keys(1), uncached()).await.unwrap();
    let record = store.get(&space(), "k").await.unwrap().unwrap();
    assert_eq!((record.value.as_bytes(), record.version), ([19].as_slice(), 20));
}
