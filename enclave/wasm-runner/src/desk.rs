//! What a running module and the engine around it hand each other: input and output, the host call that is under way, the time that
//! the module sleeps until, and what it was refused.
//!
//! The module runs on a stack of its own, and gives control back where it waits. Both sides are on one thread: the lock is never
//! waited for.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use r3e_runner_api::{FunctionLimits, HostCall, HostReply, LogLevel};
use r3e_sandbox::Log;

use crate::host;
use crate::limits::{LONGEST_SLEEP, STARTING_MEMORY_BYTES};
use crate::orders::{Frames, Said, order};

/// Nanoseconds of the finest that a clock tells.
pub(crate) const NANOS_PER_MS: u64 = 1_000_000;

/// When so many nanoseconds have passed. Whatever lies far beyond is later than any event may last.
pub(crate) fn after(nanos: u64) -> Instant {
    Instant::now() + Duration::from_nanos(nanos).min(LONGEST_SLEEP)
}

/// Both sides' handle.
#[derive(Clone, Debug)]
pub(crate) struct Desk(Arc<Mutex<Inner>>);

/// What lies there.
#[derive(Debug)]
pub(crate) struct Inner {
    input: VecDeque<u8>,
    /// Where input and output are orders and what is said to them. Else the input ends where it ends, and the output is whole.
    talk: Option<Talk>,
    output: Vec<u8>,
    max_output_bytes: usize,
    /// More was written than may be.
    pub(crate) overflowed: bool,
    log: Log,
    /// The stream that wrote to it last.
    logging: u32,
    /// Asked for, and not yet sent.
    call: Option<HostCall>,
    reply: Option<HostReply>,
    /// An answer's text that a module has not read yet.
    pub(crate) unread: String,
    sleeps_until: Option<Instant>,
    memory_bytes: usize,
    /// More memory was asked for than there is.
    pub(crate) was_refused_memory: bool,
    began: (Instant, SystemTime),
}

/// A conversation with an interpreter.
#[derive(Debug, Default)]
struct Talk {
    frames: Frames,
    said: Option<Said>,
    is_garbled: bool,
}

impl Desk {
    /// One for an event of a command.
    pub(crate) fn new(
        event: String,
        limits: FunctionLimits,
        memory_bytes: usize,
        log: Log,
        began: (Instant, SystemTime),
    ) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            input: event.into_bytes().into(),
            talk: None,
            output: Vec::new(),
            max_output_bytes: usize::try_from(limits.output_bytes).unwrap_or(usize::MAX),
            overflowed: false,
            log,
            logging: 0,
            call: None,
            reply: None,
            unread: String::new(),
            sleeps_until: None,
            memory_bytes,
            was_refused_memory: false,
            began,
        })))
    }

    /// One for an interpreter, which is to hear orders and has no function yet.
    pub(crate) fn of_interpreter(log: Log) -> Self {
        let limits = FunctionLimits { memory_mib: 0, output_bytes: 0, log_bytes: 0 };
        let now = (Instant::now(), SystemTime::now());
        let desk = Self::new(String::new(), limits, STARTING_MEMORY_BYTES, log, now);
        desk.lock().talk = Some(Talk::default());
        desk
    }

    /// Everything, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a host call, and waits for its answer.
    pub(crate) async fn call(&self, call: HostCall) -> HostReply {
        self.lock().ask(call);
        poll_fn(|_| self.lock().reply.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Waits until then.
    pub(crate) async fn sleep_until(&self, then: Instant) {
        poll_fn(|_| {
            let is_due = Instant::now() >= then;
            self.lock().sleeps_until = (!is_due).then_some(then);
            if is_due { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Inner {
    /// Moves input into `target`, and says how much.
    pub(crate) fn read(&mut self, target: &mut [u8]) -> usize {
        let count = self.input.len().min(target.len());
        for (to, from) in target.iter_mut().zip(self.input.drain(..count)) {
            *to = from;
        }
        count
    }

    /// Whether there is something to read, or never will be.
    pub(crate) fn is_readable(&self) -> bool {
        self.talk.is_none() || !self.input.is_empty()
    }

    /// Gives an interpreter an order.
    pub(crate) fn order(&mut self, text: &str) {
        self.input.extend(order(text));
    }

    /// What an interpreter said that ends an order.
    pub(crate) fn take_said(&mut self) -> Option<Said> {
        self.talk.as_mut()?.said.take()
    }

    /// Whether what was written there was not the interpreter's.
    pub(crate) fn is_garbled(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.is_garbled)
    }

    /// Sets what a function may use, and when its time began.
    pub(crate) fn limit(&mut self, memory_bytes: usize) {
        self.memory_bytes = memory_bytes;
        self.began = (Instant::now(), SystemTime::now());
    }

    /// The log of the next order.
    pub(crate) fn begin(&mut self, log: Log) {
        self.log = log;
        self.was_refused_memory = false;
    }

    /// Takes what an interpreter says. False when it is nothing that it says.
    fn hear(&mut self, bytes: &[u8]) -> bool {
        let Some(talk) = &mut self.talk else { return false };
        let Ok(frames) = talk.frames.push(bytes) else {
            talk.is_garbled = true;
            return false;
        };
        for said in frames {
            match said {
                Said::Log(level, line) => self.log.send(level, &line),
                Said::Call(request) => match host::parse(&request) {
                    Ok(call) => self.ask(call),
                    Err(error) => self.order(&host::text(Err(error))),
                },
                last => {
                    if let Some(talk) = &mut self.talk {
                        talk.said = Some(last);
                    }
                }
            }
        }
        true
    }

    /// Takes output. False when it is more than may be.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        if self.talk.is_some() {
            return self.hear(bytes);
        }
        if self.output.len().saturating_add(bytes.len()) > self.max_output_bytes {
            self.overflowed = true;
            return false;
        }
        self.output.extend_from_slice(bytes);
        true
    }

    /// Takes what one of the streams writes to the log, line by line: a line of one is none of another's.
    pub(crate) fn write_log(&mut self, stream: u32, bytes: &[u8]) {
        if self.logging != stream {
            self.log.end_line(LogLevel::Info);
            self.logging = stream;
        }
        self.log.write(LogLevel::Info, bytes);
    }

    /// A line of the log's own, behind what was written before.
    pub(crate) fn say(&mut self, level: LogLevel, text: &str) {
        self.log.end_line(LogLevel::Info);
        self.log.send(level, text);
    }

    /// The end: the last line of the log needs no line feed. Gives the output.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.log.end_line(LogLevel::Info);
        std::mem::take(&mut self.output)
    }

    /// Asks for a host call.
    pub(crate) fn ask(&mut self, call: HostCall) {
        self.reply = None;
        self.call = Some(call);
    }

    /// The call to send, once.
    pub(crate) fn take_call(&mut self) -> Option<HostCall> {
        self.call.take()
    }

    /// Lays an answer down.
    pub(crate) fn answer(&mut self, reply: HostReply) {
        self.reply = Some(reply);
    }

    /// When to wake.
    pub(crate) fn sleeps_until(&self) -> Option<Instant> {
        self.sleeps_until
    }

    /// Whether a memory may have so many bytes.
    pub(crate) fn grants_memory(&mut self, bytes: usize) -> bool {
        let granted = bytes <= self.memory_bytes;
        self.was_refused_memory |= !granted;
        granted
    }

    /// Whole milliseconds since the function's time began, and when that was since 1970: what is finer would time its neighbours.
    pub(crate) fn time_ms(&self) -> (u64, u64) {
        let (instant, time) = self.began;
        let elapsed = u64::try_from(instant.elapsed().as_millis()).unwrap_or(u64::MAX);
        let origin = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        (elapsed, u64::try_from(origin).unwrap_or(u64::MAX).saturating_add(elapsed))
    }
}
