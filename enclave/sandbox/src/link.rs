//! This end of the socket. One thread, no reactor: reading waits, and so does writing.
//!
//! A function that prints is thereby as fast as the enclave reads, and what was printed before an endless loop
//! is there to be read.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::SigSet;
use nix::sys::time::TimeSpec;
use r3e_runner_api::{FrameDecoder, HostMessage, ProtocolError, RunnerMessage};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use thiserror::Error;

use crate::inherited;
use crate::limits::READ_CHUNK_BYTES;

/// Why the conversation cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The socket.
    #[error("the socket failed")]
    Io(#[from] io::Error),
    /// What came over it.
    #[error("a message is not of the protocol")]
    Protocol(#[from] ProtocolError),
    /// A descriptor that was cut off or that no message is about.
    #[error("descriptors came that no order is about")]
    Descriptors,
}

/// What waiting for a message ended with.
pub(crate) enum Received<M = HostMessage> {
    /// A message.
    Message(M),
    /// The time to wait until has come, or a signal.
    TimedOut,
    /// The enclave closed the socket.
    Closed,
}

/// Both directions. The receiving one is used by the serving loop alone.
pub(crate) struct Link {
    sender: Sender,
    decoder: FrameDecoder,
    /// Came with the first bytes of an order of which the others are still to come.
    descriptor: Option<OwnedFd>,
    chunk: Vec<u8>,
}

/// The sending direction, shared with the engine's ops.
#[derive(Clone, Debug)]
pub struct Sender {
    socket: Arc<UnixStream>,
    failed: Arc<Mutex<Option<LinkError>>>,
}

impl Link {
    /// Takes over a socket that blocks.
    pub(crate) fn new(socket: UnixStream) -> Self {
        let sender = Sender::new(socket);
        Self { sender, decoder: FrameDecoder::new(), descriptor: None, chunk: vec![0; READ_CHUNK_BYTES] }
    }

    /// The other direction.
    pub(crate) fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// Sends a message in order with what the engine has sent.
    pub(crate) fn send(&self, message: &RunnerMessage) {
        self.sender.send(message);
    }

    /// What went wrong in an earlier sending, the engine's too, if anything did.
    pub(crate) fn take_failure(&self) -> Option<LinkError> {
        self.sender.failure().take()
    }

    /// The next order, with the descriptor that came with it; waits for it, or until a copy ends.
    pub(crate) fn receive_order(&mut self) -> Result<Received<(HostMessage, Option<OwnedFd>)>, LinkError> {
        loop {
            if let Some(frame) = self.decoder.next_frame(|kind| Ok(kind.max_body_bytes()))? {
                return Ok(Received::Message((HostMessage::decode(frame)?, self.descriptor.take())));
            }
            match ppoll(
                &mut [PollFd::new(self.sender.socket.as_fd(), PollFlags::POLLIN)],
                None,
                Some(SigSet::empty()),
            ) {
                Ok(_) => {}
                Err(Errno::EINTR) => return Ok(Received::TimedOut),
                Err(errno) => return Err(LinkError::Io(errno.into())),
            }
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = recvmsg(
                &*self.sender.socket,
                &mut [IoSliceMut::new(&mut self.chunk)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            )
            .map_err(io::Error::from)?;
            if received.bytes == 0 {
                return Ok(Received::Closed);
            }
            for message in ancillary.drain() {
                let RecvAncillaryMessage::ScmRights(descriptors) = message else { continue };
                for received in descriptors {
                    if self.descriptor.replace(received).is_some() {
                        return Err(LinkError::Descriptors);
                    }
                }
            }
            self.decoder.push(self.chunk.get(..received.bytes).unwrap_or_default());
        }
    }

    /// Sends a message with a descriptor on its first byte.
    pub(crate) fn send_with(&self, message: &RunnerMessage, descriptor: &OwnedFd) -> Result<(), LinkError> {
        let frame = message.encode()?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor.as_fd()];
        if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
            return Err(LinkError::Descriptors);
        }
        let sent =
            sendmsg(&*self.sender.socket, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::NOSIGNAL)
                .map_err(io::Error::from)?;
        self.sender.send_frame(frame.get(sent..).unwrap_or_default());
        Ok(())
    }

    /// Talks over this socket from here on: in a copy, whose original keeps the one before. It takes that one's place among
    /// the descriptors, the only one that the filter lets through, and every other is closed.
    pub(crate) fn turn_to(&mut self, socket: OwnedFd) -> Result<(), LinkError> {
        inherited::take_the_place(socket)?;
        // What came to the original is the original's.
        self.decoder = FrameDecoder::new();
        Ok(())
    }

    /// The next message; waits for it until `deadline`, or for ever.
    pub(crate) fn receive(&mut self, deadline: Option<Instant>) -> Result<Received, LinkError> {
        loop {
            if let Some(frame) = self.decoder.next_frame(|kind| Ok(kind.max_body_bytes()))? {
                return Ok(Received::Message(HostMessage::decode(frame)?));
            }
            if let Some(deadline) = deadline
                && !wait_readable(&self.sender.socket, deadline)?
            {
                return Ok(Received::TimedOut);
            }
            match (&*self.sender.socket).read(&mut self.chunk) {
                Ok(0) => return Ok(Received::Closed),
                Ok(count) => self.decoder.push(self.chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Sender {
    /// Sends over a socket that blocks.
    pub fn new(socket: UnixStream) -> Self {
        Self { socket: Arc::new(socket), failed: Arc::default() }
    }

    /// Sends a message whole. A failure is kept for the serving loop to find: the caller is often a script.
    pub fn send(&self, message: &RunnerMessage) {
        match message.encode() {
            Ok(frame) => self.send_frame(&frame),
            Err(error) => self.fail(error.into()),
        }
    }

    /// Sends a message that was encoded before.
    pub fn send_frame(&self, frame: &[u8]) {
        if self.failure().is_some() {
            return;
        }
        if let Err(error) = (&*self.socket).write_all(frame) {
            self.fail(error.into());
        }
    }

    fn failure(&self) -> MutexGuard<'_, Option<LinkError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first failure is the one to tell.
    fn fail(&self, error: LinkError) {
        self.failure().get_or_insert(error);
    }
}

/// Whether there is something to read before the deadline.
fn wait_readable(socket: &UnixStream, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = TimeSpec::from_duration(deadline.saturating_duration_since(Instant::now()));
        match ppoll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], Some(left), None) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}
