//! The enclave's side of one conversation with a runner: what may come next, and how long it may be.
//!
//! The machine knows nothing of sockets. Its user pushes received bytes, takes events, and sends what
//! `load`, `invoke` and `reply` return. After any error the runner must be ended.

use zeroize::Zeroizing;

use crate::decoder::FrameDecoder;
use crate::fault::Fault;
use crate::forks::Forks;
use crate::frame::{FrameKind, ProtocolError};
use crate::host_call::{HostCall, HostError, HostErrorCode, HostReply};
use crate::json;
use crate::limits::{MAX_LOG_FRAMES, MAX_OUTPUT_BYTES, MAX_OUTSTANDING_HOST_CALLS};
use crate::message::{FunctionLimits, HostMessage, LogRecord, Purpose, RunnerMessage};
use crate::process::{Ending, Identity};

/// What a runner did, once it was found to be in turn.
#[derive(Debug, PartialEq, Eq)]
pub enum RunnerEvent {
    /// It is boxed and can load, or make copies of itself.
    Ready(Identity),
    /// It can be invoked.
    Loaded,
    /// The module was refused; the runner is of no further use.
    LoadFailed(Fault),
    /// A line of the log.
    Log(LogRecord),
    /// A request. Answer it with [`Session::reply`].
    HostCall {
        /// The number to answer.
        call_id: u32,
        /// What is wanted.
        call: HostCall,
    },
    /// The invocation is over. `output` was checked to be JSON of bounded depth.
    Done(Result<String, Fault>),
    /// The copy that was ordered lives.
    Forked {
        /// Its number.
        number: u64,
    },
    /// There is no such copy.
    ForkFailed {
        /// Its number.
        number: u64,
        /// The system's reason, as `errno(3)`.
        errno: i32,
    },
    /// A copy ended.
    Ended {
        /// Its number.
        number: u64,
        /// How, by the word of the process that was copied.
        ending: Ending,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Starting,
    Blank,
    Loading { purpose: Purpose },
    Copying,
    Idle,
    Running { id: u64 },
    Spent,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Blank => "waiting to load",
            Self::Loading { .. } => "loading",
            Self::Copying => "making copies",
            Self::Idle => "idle",
            Self::Running { .. } => "running",
            Self::Spent => "spent",
        }
    }
}

/// One conversation, from the runner's start to its end.
#[derive(Debug)]
pub struct Session {
    state: State,
    decoder: FrameDecoder,
    output_bytes: usize,
    last_invocation: u64,
    last_call: u32,
    outstanding: Vec<u32>,
    log_frames: u32,
    forks: Forks,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A conversation with a process that was just started.
    pub fn new() -> Self {
        Self {
            state: State::Starting,
            decoder: FrameDecoder::new(),
            output_bytes: 0,
            last_invocation: 0,
            last_call: 0,
            outstanding: Vec::new(),
            log_frames: 0,
            forks: Forks::default(),
        }
    }

    /// A conversation with a copy of a process that had loaded a function under these limits.
    pub fn of_copy(limits: FunctionLimits) -> Self {
        Self { state: State::Idle, output_bytes: output_bytes(limits), ..Self::new() }
    }

    /// Whether the runner has loaded a function, handles its events, and has nothing to do.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle && self.decoder.buffered_bytes() == 0
    }

    /// Calls that were not answered. After `Done` this is not zero when the function went on without
    /// waiting for a call; such a runner should not be used again.
    pub fn outstanding_calls(&self) -> usize {
        self.outstanding.len()
    }

    /// The bytes that give the runner its function.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfTurn`] unless the runner is ready and blank; [`ProtocolError::TooLong`] for a
    /// source that does not fit, after which the session is as before.
    pub fn load(
        &mut self,
        limits: FunctionLimits,
        purpose: Purpose,
        source: String,
    ) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
        self.require(State::Blank, FrameKind::Load)?;
        let frame = HostMessage::Load { limits, purpose, source }.encode()?;
        self.output_bytes = output_bytes(limits);
        self.log_frames = 0;
        self.state = State::Loading { purpose };
        Ok(frame)
    }

    /// The bytes that have a blank runner get ready for a function whose events it will handle. It says that it is ready, again.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfTurn`] unless the runner is ready and blank.
    pub fn rehearse(&mut self) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
        self.require(State::Blank, FrameKind::Rehearse)?;
        let frame = HostMessage::Rehearse.encode()?;
        self.state = State::Starting;
        Ok(frame)
    }

    /// The bytes that start an invocation.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfTurn`] unless the runner is idle, and handles events; [`ProtocolError::TooLong`] for an event that does
    /// not fit, after which the session is as before.
    pub fn invoke(&mut self, event: String) -> Result<Zeroizing<Vec<u8>>, ProtocolError> {
        self.require(State::Idle, FrameKind::Invoke)?;
        let id = self.last_invocation + 1;
        let frame = HostMessage::Invoke { id, event }.encode()?;
        self.last_invocation = id;
        self.outstanding.clear();
        self.log_frames = 0;
        self.state = State::Running { id };
        Ok(frame)
    }

    /// The number of a copy that the runner is to make of itself, and the bytes that order it. The copy's socket has to go
    /// with the first of them.
    ///
    /// # Errors
    /// [`ProtocolError::OutOfTurn`] unless the runner is blank or was loaded for copies, and no other order is out;
    /// [`ProtocolError::WrongCopy`] when as many live as may.
    pub fn fork(&mut self) -> Result<(u64, Zeroizing<Vec<u8>>), ProtocolError> {
        if !matches!(self.state, State::Blank | State::Copying) {
            return Err(ProtocolError::OutOfTurn { kind: FrameKind::Fork, state: self.state.name() });
        }
        let number = self.forks.order()?;
        Ok((number, HostMessage::Fork { number }.encode()?))
    }

    /// Copies that live, as far as the runner has told.
    pub fn copies(&self) -> usize {
        self.forks.alive()
    }

    /// The bytes that answer a host call, or nothing when its invocation is already over. A reply too long
    /// for a frame becomes the error [`HostErrorCode::TooLarge`].
    ///
    /// # Errors
    /// [`ProtocolError`] when even that cannot be encoded.
    pub fn reply(
        &mut self,
        call_id: u32,
        reply: HostReply,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ProtocolError> {
        let Some(position) = self.outstanding.iter().position(|id| *id == call_id) else { return Ok(None) };
        if !matches!(self.state, State::Running { .. }) {
            return Ok(None);
        }
        let frame = match (HostMessage::HostReply { call_id, reply }).encode() {
            Err(ProtocolError::TooLong { .. }) => {
                let error = HostError {
                    code: HostErrorCode::TooLarge,
                    message: "the answer is larger than a function may receive".to_owned(),
                };
                HostMessage::HostReply { call_id, reply: Err(error) }.encode()?
            }
            other => other?,
        };
        self.outstanding.swap_remove(position);
        Ok(Some(frame))
    }

    /// Adds bytes received from the runner.
    pub fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// The next thing the runner did, if all of its bytes are there.
    ///
    /// # Errors
    /// [`ProtocolError`]: the runner broke the protocol and must be ended.
    pub fn next_event(&mut self) -> Result<Option<RunnerEvent>, ProtocolError> {
        let (state, output_bytes) = (self.state, self.output_bytes);
        let forks = &self.forks;
        let frame = self.decoder.next_frame(|kind| allowed_bytes(state, forks, output_bytes, kind))?;
        let Some(frame) = frame else { return Ok(None) };
        let event = match RunnerMessage::decode(frame)? {
            RunnerMessage::Ready(identity) => {
                self.state = State::Blank;
                RunnerEvent::Ready(identity)
            }
            RunnerMessage::Loaded => {
                self.state = match state {
                    State::Loading { purpose: Purpose::Copies } => State::Copying,
                    _ => State::Idle,
                };
                RunnerEvent::Loaded
            }
            RunnerMessage::LoadFailed(fault) => {
                self.state = State::Spent;
                RunnerEvent::LoadFailed(fault)
            }
            RunnerMessage::Log(record) => {
                self.log_frames += 1;
                if self.log_frames > MAX_LOG_FRAMES {
                    return Err(ProtocolError::TooManyLogFrames { max: MAX_LOG_FRAMES });
                }
                RunnerEvent::Log(record)
            }
            RunnerMessage::HostCall { call_id, call } => {
                self.admit_call(call_id)?;
                RunnerEvent::HostCall { call_id, call }
            }
            RunnerMessage::Done { id, outcome } => {
                self.finish(id, &outcome)?;
                RunnerEvent::Done(outcome)
            }
            RunnerMessage::Forked { number } => {
                self.forks.made(number)?;
                RunnerEvent::Forked { number }
            }
            RunnerMessage::ForkFailed { number, errno } => {
                self.forks.failed(number)?;
                RunnerEvent::ForkFailed { number, errno }
            }
            RunnerMessage::Ended { number, ending } => {
                self.forks.ended(number)?;
                RunnerEvent::Ended { number, ending }
            }
        };
        Ok(Some(event))
    }

    fn admit_call(&mut self, call_id: u32) -> Result<(), ProtocolError> {
        let expected = self.last_call.wrapping_add(1);
        if call_id != expected {
            return Err(ProtocolError::WrongHostCall { got: call_id, expected });
        }
        if self.outstanding.len() >= MAX_OUTSTANDING_HOST_CALLS {
            return Err(ProtocolError::TooManyOutstanding { max: MAX_OUTSTANDING_HOST_CALLS });
        }
        self.last_call = call_id;
        self.outstanding.push(call_id);
        Ok(())
    }

    fn finish(&mut self, id: u64, outcome: &Result<String, Fault>) -> Result<(), ProtocolError> {
        let expected = self.last_invocation;
        if id != expected {
            return Err(ProtocolError::WrongInvocation { got: id, expected });
        }
        if let Ok(output) = outcome {
            json::check(output).map_err(|_| ProtocolError::Malformed {
                kind: FrameKind::DoneOutput,
                reason: "not JSON of bounded depth",
            })?;
        }
        self.state = State::Idle;
        Ok(())
    }

    fn require(&self, wanted: State, kind: FrameKind) -> Result<(), ProtocolError> {
        if self.state == wanted {
            return Ok(());
        }
        Err(ProtocolError::OutOfTurn { kind, state: self.state.name() })
    }
}

/// Longest body that a frame of this kind may have now, if it may come at all.
fn allowed_bytes(
    state: State,
    forks: &Forks,
    output_bytes: usize,
    kind: FrameKind,
) -> Result<usize, ProtocolError> {
    let in_turn = match state {
        State::Starting => kind == FrameKind::Ready,
        State::Loading { .. } => matches!(kind, FrameKind::Loaded | FrameKind::LoadFailed | FrameKind::Log),
        State::Running { .. } => matches!(
            kind,
            FrameKind::Log | FrameKind::HostCall | FrameKind::DoneOutput | FrameKind::DoneFault
        ),
        State::Blank | State::Copying => forks.may_come(kind),
        State::Idle | State::Spent => false,
    };
    if !in_turn {
        return Err(ProtocolError::OutOfTurn { kind, state: state.name() });
    }
    Ok(match kind {
        FrameKind::DoneOutput => 8 + output_bytes,
        other => other.max_body_bytes(),
    })
}

/// Longest output under these limits.
fn output_bytes(limits: FunctionLimits) -> usize {
    usize::try_from(limits.output_bytes).unwrap_or(usize::MAX).min(MAX_OUTPUT_BYTES)
}
