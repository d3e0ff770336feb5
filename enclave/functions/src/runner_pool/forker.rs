//! A process that makes copies of itself by order: the one that makes families, and the one that has loaded a function.
//!
//! An order carries the copy's socket, and the answer the copy's handle. One order is out at a time, so that what comes back
//! belongs to it. What the process says about how a copy ended is its word, and decides no more than what its tenant is told.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use r3e_runner_api::process::Ending;
use r3e_runner_api::{RunnerEvent, Session};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::StartError;
use super::handle::Handle;
use super::limits::{ENDING_TIMEOUT_MS, FORK_TIMEOUT_MS, MAX_KEPT_ENDINGS};

/// A process that makes copies, seen from here.
#[derive(Debug)]
pub(super) struct Forker(Mutex<Talk>);

#[derive(Debug)]
struct Talk {
    stream: UnixStream,
    session: Session,
    chunk: Box<[u8]>,
    /// Came with bytes of an answer of which others are still to come.
    descriptor: Option<OwnedFd>,
    /// The latest, for whoever asks.
    endings: VecDeque<(u64, Ending)>,
}

/// A process that was just made.
#[derive(Debug)]
pub(super) struct Copy {
    /// Its number in what its original says.
    pub(super) number: u64,
    pub(super) stream: UnixStream,
    pub(super) handle: Handle,
}

impl Forker {
    /// Goes on with a conversation whose process awaits orders.
    pub(super) fn new(stream: UnixStream, session: Session, chunk: Box<[u8]>) -> Self {
        Self(Mutex::new(Talk { stream, session, chunk, descriptor: None, endings: VecDeque::new() }))
    }

    /// A copy. What is begun is carried through, whether or not the caller waits for it; a copy that nobody waits for ends
    /// with its handle.
    ///
    /// # Errors
    /// [`StartError`]; unless it is [`StartError::Refused`], the process is of no use any more.
    pub(super) async fn fork(self: &Arc<Self>) -> Result<Copy, StartError> {
        let this = Arc::clone(self);
        let forking = tokio::spawn(async move {
            let mut talk = this.0.lock().await;
            timeout(Duration::from_millis(FORK_TIMEOUT_MS), talk.fork()).await
        });
        forking.await.map_err(|_| StartError::ShuttingDown)?.map_err(|_| StartError::TimedOut)?
    }

    /// How a copy ended, by the word of its original. Nothing when that has none in time.
    pub(super) async fn how_ended(&self, number: u64) -> Option<Ending> {
        let asking = async { self.0.lock().await.how_ended(number).await };
        timeout(Duration::from_millis(ENDING_TIMEOUT_MS), asking).await.ok().flatten()
    }
}

impl Talk {
    async fn fork(&mut self) -> Result<Copy, StartError> {
        let (ours, theirs) = StdUnixStream::pair().map_err(StartError::Io)?;
        ours.set_nonblocking(true).map_err(StartError::Io)?;
        let stream = UnixStream::from_std(ours).map_err(StartError::Io)?;
        let (ordered, order) = self.session.fork().map_err(StartError::Protocol)?;
        self.send(&order, &theirs).await.map_err(StartError::Io)?;
        drop(theirs);
        loop {
            match self.next().await? {
                Some(RunnerEvent::Forked { number }) if number == ordered => {
                    let descriptor = self.descriptor.take().ok_or(StartError::NoHandle)?;
                    let handle = Handle::new(descriptor).map_err(StartError::Meter)?;
                    return Ok(Copy { number, stream, handle });
                }
                Some(RunnerEvent::ForkFailed { errno, .. }) => {
                    return Err(StartError::Refused(io::Error::from_raw_os_error(errno)));
                }
                Some(RunnerEvent::Ended { number, ending }) => self.remember(number, ending),
                // The session lets nothing else through now.
                Some(_) => return Err(StartError::NoHandle),
                None => return Err(StartError::Gone),
            }
        }
    }

    async fn how_ended(&mut self, wanted: u64) -> Option<Ending> {
        loop {
            if let Some((_, ending)) = self.endings.iter().find(|(number, _)| *number == wanted) {
                return Some(*ending);
            }
            match self.next().await {
                Ok(Some(RunnerEvent::Ended { number, ending })) => self.remember(number, ending),
                _ => return None,
            }
        }
    }

    fn remember(&mut self, number: u64, ending: Ending) {
        if self.endings.len() >= MAX_KEPT_ENDINGS {
            self.endings.pop_front();
        }
        self.endings.push_back((number, ending));
    }

    /// What the process says next; nothing when it has closed its socket. May be given up at any point.
    async fn next(&mut self) -> Result<Option<RunnerEvent>, StartError> {
        loop {
            if let Some(event) = self.session.next_event().map_err(StartError::Protocol)? {
                return Ok(Some(event));
            }
            let Self { stream, chunk, .. } = self;
            let receiving = stream.async_io(Interest::READABLE, || receive(stream, chunk)).await;
            let (count, descriptors) = match receiving {
                Ok(received) => received,
                // The other end was closed with bytes unread in it.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(StartError::Io(error)),
            };
            if count == 0 {
                return Ok(None);
            }
            for descriptor in descriptors {
                if self.descriptor.replace(descriptor).is_some() {
                    return Err(StartError::NoHandle);
                }
            }
            self.session.push(self.chunk.get(..count).unwrap_or_default());
        }
    }

    /// Sends an order with a descriptor on its first byte. An order is a few bytes: the socket takes it whole.
    async fn send(&self, order: &[u8], descriptor: &StdUnixStream) -> io::Result<()> {
        let sent = self
            .stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut ancillary = SendAncillaryBuffer::new(&mut space);
                let descriptors = [descriptor.as_fd()];
                if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                    return Err(io::ErrorKind::OutOfMemory.into());
                }
                Ok(sendmsg(&self.stream, &[IoSlice::new(order)], &mut ancillary, SendFlags::NOSIGNAL)?)
            })
            .await?;
        if sent < order.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }
}

fn receive(stream: &UnixStream, chunk: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(stream, &mut [IoSliceMut::new(chunk)], &mut ancillary, flags)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok((received.bytes, descriptors))
}
