//! The conversation: load once, then one event after another.

use r3e_runner_api::{Fault, FunctionLimits, HostMessage, RunnerMessage};
use thiserror::Error;

use crate::engine::{Engine, Progress};
use crate::limits::{MAX_MEMORY_MIB, MIN_MEMORY_MIB};
use crate::link::{Link, LinkError, Received};
use crate::walls::{self, SandboxError};

/// Why the conversation ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The socket, or what came over it.
    #[error("the link")]
    Link(#[from] LinkError),
    /// The kernel's limits.
    #[error("the memory limit could not be set")]
    Memory(#[from] SandboxError),
    /// The enclave and this program are of different builds.
    #[error("the enclave sent a message out of turn")]
    OutOfTurn,
}

/// Serves until the enclave closes the socket, or until the engine cannot go on.
pub(crate) fn serve(link: &mut Link, engine: &mut impl Engine) -> Result<(), ServeError> {
    link.send(&RunnerMessage::Ready);
    let Some((limits, source)) = receive_load(link)? else { return Ok(()) };
    let memory_mib = limits.memory_mib.clamp(MIN_MEMORY_MIB, MAX_MEMORY_MIB);
    let heap_bytes = u64::from(memory_mib) * 1024 * 1024;
    walls::lower_memory(heap_bytes)?;
    engine.limit(heap_bytes, limits);
    let Some(loaded) = load(link, engine, source)? else { return Ok(()) };
    if let Err(fault) = loaded {
        link.send(&RunnerMessage::LoadFailed(fault));
        return finish(link);
    }
    link.send(&RunnerMessage::Loaded);
    while let Some((id, event)) = receive_event(link)? {
        let Some(outcome) = run(link, engine, event)? else { return Ok(()) };
        let spent = engine.is_spent();
        link.send(&RunnerMessage::Done { id, outcome });
        if spent {
            break;
        }
        finish(link)?;
    }
    finish(link)
}

fn receive_load(link: &mut Link) -> Result<Option<(FunctionLimits, String)>, ServeError> {
    match link.receive(None)? {
        Received::Message(HostMessage::Load { limits, source }) => Ok(Some((limits, source))),
        Received::Message(_) => Err(ServeError::OutOfTurn),
        Received::Closed | Received::TimedOut => Ok(None),
    }
}

fn receive_event(link: &mut Link) -> Result<Option<(u64, String)>, ServeError> {
    loop {
        match link.receive(None)? {
            Received::Message(HostMessage::Invoke { id, event }) => return Ok(Some((id, event))),
            // The answer to a call that its event did not wait for.
            Received::Message(HostMessage::HostReply { .. }) => {}
            Received::Message(HostMessage::Load { .. }) => return Err(ServeError::OutOfTurn),
            Received::Closed | Received::TimedOut => return Ok(None),
        }
    }
}

/// Loads the module. Nothing but the enclave's end can come meanwhile.
fn load(
    link: &mut Link,
    engine: &mut impl Engine,
    source: String,
) -> Result<Option<Result<(), Fault>>, ServeError> {
    let mut loading = match engine.begin_load(source) {
        Ok(loading) => loading,
        Err(fault) => return Ok(Some(Err(fault))),
    };
    loop {
        let deadline = match engine.progress_load(&mut loading) {
            Progress::Settled(outcome) => return Ok(Some(outcome)),
            Progress::Waiting(deadline) => deadline,
        };
        match link.receive(deadline)? {
            Received::TimedOut => {}
            Received::Closed => return Ok(None),
            Received::Message(_) => return Err(ServeError::OutOfTurn),
        }
    }
}

fn run(
    link: &mut Link,
    engine: &mut impl Engine,
    event: String,
) -> Result<Option<Result<String, Fault>>, ServeError> {
    if let Err(fault) = engine.begin(event) {
        return Ok(Some(Err(fault)));
    }
    loop {
        let deadline = match engine.progress() {
            Progress::Settled(outcome) => return Ok(Some(outcome)),
            Progress::Waiting(deadline) => deadline,
        };
        match link.receive(deadline)? {
            Received::TimedOut => {}
            Received::Closed => return Ok(None),
            Received::Message(HostMessage::HostReply { call_id, reply }) => engine.deliver(call_id, reply),
            Received::Message(_) => return Err(ServeError::OutOfTurn),
        }
    }
}

/// A script's sending may have failed without anyone to tell.
fn finish(link: &Link) -> Result<(), ServeError> {
    link.take_failure().map_or(Ok(()), |failure| Err(failure.into()))
}
