//! A parent that lies: the real one's protocol, written anew, with a place in each path where a test can cheat.
//!
//! It is honest until it is told otherwise. What it keeps, a test may read, copy, and change behind the enclave's back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use r3e_proto::host::blob::{BlobName, Operation, Outcome, Request, Response};
use r3e_proto::host::egress::{Connect, MAX_MESSAGE_BYTES, Reply};
use r3e_proto::host::lifecycle;
use r3e_proto::host::{
    BLOB_PORT, CHANNEL_PORT, CONFIGURATION_PORT, EGRESS_PORT, HEARTBEAT_PORT, LIFECYCLE_PORT,
};
use r3e_proto::limits::{MAX_CONFIGURATION_BYTES, MAX_HOST_FRAME_BYTES};
use r3e_transport::frame::{read_frame, write_frame};
use r3e_transport::{Endpoint, Listener, ParentTransport, Stream};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::enclave::EnclavePlace;

/// Small, so that any state takes several pages.
const PAGE_RECORDS: usize = 4;

/// What the parent keeps for the enclave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The head.
    pub head: Option<Vec<u8>>,
    /// The records.
    pub records: BTreeMap<BlobName, Vec<u8>>,
    /// The slot's value.
    pub slot: Option<Vec<u8>>,
}

/// What the enclave gets for an answer.
#[derive(Debug)]
pub enum Sent {
    /// Messages, one a frame, none to many.
    Frames(Vec<Response>),
    /// These bytes, whatever they are; then the connection ends.
    BytesAndEnd(Vec<u8>),
}

/// Makes of a question and its honest answer what is sent, and may change what is kept.
pub type Lie = Box<dyn FnMut(&Request, Response, &mut Kept) -> Sent + Send>;

/// One byte that the forwarder changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// On the connection with this number, from 0.
    pub connection: usize,
    /// On the way to the enclave, or from it.
    pub to_enclave: bool,
    /// The byte at this offset.
    pub offset: usize,
}

/// An appliance to be succeeded, and what approves of that.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The signed release.
    pub manifest: Vec<u8>,
    /// Where the predecessor is.
    pub predecessor: EnclavePlace,
    /// Once it is set, nothing that the successor says arrives any more.
    pub cut: Arc<AtomicBool>,
}

struct Shared {
    transport: ParentTransport,
    configuration: Mutex<Vec<u8>>,
    kept: Arc<Mutex<Kept>>,
    offer: Mutex<Option<Offer>>,
    said: Mutex<Vec<lifecycle::Request>>,
    lie: Mutex<Option<Lie>>,
    diverted: Mutex<Option<SocketAddr>>,
    flip: Mutex<Option<Flip>>,
}

/// The parent, in the test's own process. Dropped, it stops.
pub struct HostileParent {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl HostileParent {
    /// Starts it for the enclave at `place`, with an empty store.
    pub async fn start(place: &EnclavePlace, configuration: &str) -> Self {
        Self::start_over(place, configuration, Arc::default()).await
    }

    /// Starts it for another enclave at `place`, with the same store.
    pub async fn start_beside(&self, place: &EnclavePlace, configuration: &str) -> Self {
        Self::start_over(place, configuration, Arc::clone(&self.shared.kept)).await
    }

    async fn start_over(place: &EnclavePlace, configuration: &str, kept: Arc<Mutex<Kept>>) -> Self {
        let transport = ParentTransport::new(Endpoint::Unix { path: place.socket() });
        let public = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = public.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            configuration: Mutex::new(configuration.as_bytes().to_vec()),
            kept,
            offer: Mutex::default(),
            said: Mutex::default(),
            lie: Mutex::default(),
            diverted: Mutex::default(),
            flip: Mutex::default(),
            transport,
        });
        let mut tasks = JoinSet::new();
        let open = async |port| shared.transport.listen(port).await.expect("a port for the enclave");
        tasks.spawn(each(open(HEARTBEAT_PORT).await, Arc::clone(&shared), heartbeat));
        tasks.spawn(each(open(CONFIGURATION_PORT).await, Arc::clone(&shared), configure));
        tasks.spawn(each(open(BLOB_PORT).await, Arc::clone(&shared), keep));
        tasks.spawn(each(open(EGRESS_PORT).await, Arc::clone(&shared), egress));
        tasks.spawn(each(open(LIFECYCLE_PORT).await, Arc::clone(&shared), live));
        tasks.spawn(forward(public, Arc::clone(&shared)));
        Self { address, shared, _tasks: tasks }
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What it keeps.
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().expect("no task panicked")
    }

    /// Lies from now on.
    pub fn lie(&self, lie: impl FnMut(&Request, Response, &mut Kept) -> Sent + Send + 'static) {
        *self.shared.lie.lock().expect("no task panicked") = Some(Box::new(lie));
    }

    /// Is honest again.
    pub fn be_honest(&self) {
        *self.shared.lie.lock().expect("no task panicked") = None;
    }

    /// Hands out another configuration, from the next boot on.
    pub fn set_configuration(&self, configuration: &str) {
        *self.shared.configuration.lock().expect("no task panicked") = configuration.as_bytes().to_vec();
    }

    /// Offers an appliance to be succeeded, or none, from the next boot on.
    pub fn offer(&self, offer: impl Into<Option<Offer>>) {
        *self.shared.offer.lock().expect("no task panicked") = offer.into();
    }

    /// What the enclave said of its life, `Predecessor` left out.
    pub fn said(&self) -> Vec<lifecycle::Request> {
        self.shared.said.lock().expect("no task panicked").clone()
    }

    /// Connects every egress to `address`, whatever the enclave asked for.
    pub fn divert_egress(&self, address: SocketAddr) {
        *self.shared.diverted.lock().expect("no task panicked") = Some(address);
    }

    /// Changes a byte of a client's connection. Connections are counted from now on.
    pub fn flip(&self, flip: Flip) {
        *self.shared.flip.lock().expect("no task panicked") = Some(flip);
    }
}

impl Kept {
    /// What an honest keeper does and answers.
    pub fn answer(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Head => Outcome::Head(self.head.clone()),
            Operation::Read { name } => Outcome::Read(self.records.get(name).cloned()),
            Operation::List { after } => {
                let later = self.records.iter().filter(|(name, _)| after.is_none_or(|after| **name > after));
                let records: Vec<_> =
                    later.take(PAGE_RECORDS + 1).map(|(name, blob)| (*name, blob.clone())).collect();
                let more = records.len() > PAGE_RECORDS;
                Outcome::List { records: records.into_iter().take(PAGE_RECORDS).collect(), more }
            }
            Operation::Commit(commit) => {
                if commit.expected != self.head.as_deref().map(|head| Sha256::digest(head).into()) {
                    return Outcome::Conflict;
                }
                self.head = Some(commit.head.clone());
                self.records.extend(commit.puts.iter().cloned());
                self.records.retain(|name, _| !commit.deletes.contains(name));
                Outcome::Committed
            }
            Operation::SlotRead => Outcome::Slot(self.slot.clone()),
            Operation::SlotWrite { expected, value } => {
                if *expected != self.slot.as_deref().map(|slot| Sha256::digest(slot).into()) {
                    return Outcome::Conflict;
                }
                self.slot = Some(value.clone());
                Outcome::Committed
            }
        }
    }
}

/// Serves each connection to a port in a task of its own.
async fn each<F, S>(mut listener: Listener, shared: Arc<Shared>, serve: F)
where
    F: Fn(Stream, Arc<Shared>) -> S,
    S: Future<Output = Option<()>> + Send + 'static,
{
    let mut open = JoinSet::new();
    while let Ok(stream) = listener.accept().await {
        open.spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn heartbeat(mut stream: Stream, _: Arc<Shared>) -> Option<()> {
    let byte = stream.read_u8().await.ok()?;
    stream.write_u8(byte).await.ok()
}

async fn configure(mut stream: Stream, shared: Arc<Shared>) -> Option<()> {
    let configuration = shared.configuration.lock().expect("no test panicked").clone();
    write_frame(&mut stream, &configuration, MAX_CONFIGURATION_BYTES).await.ok()
}

async fn keep(mut stream: Stream, shared: Arc<Shared>) -> Option<()> {
    loop {
        let request = Request::decode(&read_frame(&mut stream, MAX_HOST_FRAME_BYTES).await.ok()?).ok()?;
        let sent = {
            let (mut kept, mut lie) = (shared.kept.lock(), shared.lie.lock());
            let kept = kept.as_mut().expect("no test panicked");
            let honest = Response { id: request.id, outcome: kept.answer(&request.operation) };
            match lie.as_mut().expect("no test panicked").as_mut() {
                Some(lie) => lie(&request, honest, kept),
                None => Sent::Frames(vec![honest]),
            }
        };
        match sent {
            Sent::Frames(answers) => {
                for answer in answers {
                    write_frame(&mut stream, &answer.encode(), MAX_HOST_FRAME_BYTES).await.ok()?;
                }
            }
            Sent::BytesAndEnd(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.shutdown().await.ok();
            }
        }
    }
}

/// Says whom the enclave succeeds, and is its way there.
async fn live(mut stream: Stream, shared: Arc<Shared>) -> Option<()> {
    use lifecycle::{MAX_MESSAGE_BYTES, Reply, Request};
    let request = Request::decode(&read_frame(&mut stream, MAX_MESSAGE_BYTES).await.ok()?).ok()?;
    let offer = shared.offer.lock().expect("no test panicked").clone();
    let reply = match (&request, &offer) {
        (Request::Predecessor, None) => Reply::None,
        (Request::Predecessor, Some(offer)) => Reply::Offered { manifest: offer.manifest.clone() },
        _ => Reply::Noted,
    };
    // Before it is answered, with which an enclave may end.
    if request != Request::Predecessor {
        shared.said.lock().expect("no test panicked").push(request.clone());
    }
    write_frame(&mut stream, &reply.encode(), MAX_MESSAGE_BYTES).await.ok()?;
    let (Request::Predecessor, Some(offer)) = (request, offer) else { return Some(()) };
    let to = ParentTransport::new(Endpoint::Unix { path: offer.predecessor.socket() });
    let predecessor = to.dial_enclave(CHANNEL_PORT).await.ok()?;
    let (from_successor, to_successor) = split(stream);
    let (from_predecessor, to_predecessor) = split(predecessor);
    let there = copy_until_cut(from_successor, to_predecessor, &offer.cut);
    tokio::select! {
        () = there => {}
        _ = copy(from_predecessor, to_successor, None) => {}
    }
    Some(())
}

/// Moves bytes until the end, or until it is cut; then keeps both sides waiting.
async fn copy_until_cut(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, cut: &AtomicBool) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if cut.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return drop(to.shutdown().await);
        }
    }
}

async fn egress(mut stream: Stream, shared: Arc<Shared>) -> Option<()> {
    Connect::decode(&read_frame(&mut stream, MAX_MESSAGE_BYTES).await.ok()?).ok()?;
    let diverted = *shared.diverted.lock().expect("no test panicked");
    let mut outside = TcpStream::connect(diverted?).await.ok()?;
    write_frame(&mut stream, &Reply::Connected.encode(), MAX_MESSAGE_BYTES).await.ok()?;
    copy_bidirectional(&mut stream, &mut outside).await.ok().map(drop)
}

async fn forward(public: TcpListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    let (mut number, mut counted_for) = (0, None);
    while let Ok((client, _)) = public.accept().await {
        let flip = *shared.flip.lock().expect("no test panicked");
        if counted_for != flip {
            (number, counted_for) = (0, flip);
        }
        let mine = flip.filter(|flip| flip.connection == number);
        number += 1;
        open.spawn(carry(client, Arc::clone(&shared), mine));
    }
}

async fn carry(client: TcpStream, shared: Arc<Shared>, flip: Option<Flip>) -> Option<()> {
    let enclave = shared.transport.dial_enclave(CHANNEL_PORT).await.ok()?;
    let (from_client, to_client) = client.into_split();
    let (from_enclave, to_enclave) = split(enclave);
    let at = |to_enclave| flip.filter(|flip| flip.to_enclave == to_enclave).map(|flip| flip.offset);
    let (forth, back) =
        tokio::join!(copy(from_client, to_enclave, at(true)), copy(from_enclave, to_client, at(false)));
    forth.and(back)
}

/// Moves bytes until the end, and changes one of them.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    flip_at: Option<usize>,
) -> Option<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut moved = 0;
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return to.shutdown().await.ok();
        }
        if let Some(byte) =
            flip_at.and_then(|at| at.checked_sub(moved)).and_then(|at| buffer[..read].get_mut(at))
        {
            *byte ^= 1;
        }
        moved += read;
        to.write_all(&buffer[..read]).await.ok()?;
    }
}
