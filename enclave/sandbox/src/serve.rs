//! The conversation: of the process that makes families, of one that has loaded a function, of one that handles its events.

use std::ops::ControlFlow;

use r3e_runner_api::process::Identity;
use r3e_runner_api::{Fault, FunctionLimits, HostMessage, Purpose, RunnerMessage};
use thiserror::Error;

use crate::engine::{Engine, Progress};
use crate::fork::PLAIN;
use crate::limits::{MAX_MEMORY_MIB, MIN_MEMORY_MIB};
use crate::link::{Link, LinkError, Received};
use crate::orders::{Followed, follow};
use crate::walls::{self, Nursery, SandboxError};

/// Why the conversation ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The socket, or what came over it.
    #[error("the link")]
    Link(#[from] LinkError),
    /// A wall of a copy's box.
    #[error("a wall of the box")]
    Sandbox(#[from] SandboxError),
    /// The enclave and this program are of different builds.
    #[error("the enclave sent a message out of turn")]
    OutOfTurn,
}

/// Makes copies with engines that have no function yet, until the enclave closes the socket. In a copy: loads a function, and makes
/// copies that handle its events, or handles them itself. In a copy's copy: handles them, until the enclave closes the socket or
/// the engine cannot go on.
pub(crate) fn serve<E: Engine>(
    link: &mut Link,
    engine: &mut E,
    mut nursery: Nursery,
) -> Result<(), ServeError> {
    let identity = nursery.identity();
    link.send(&RunnerMessage::Ready(identity));
    let flags = nursery.flags();
    if matches!(follow(link, flags, || nursery.turn_user())?, Followed::Closed) {
        return Ok(());
    }
    let inner = nursery.box_copy()?;
    engine.reseed();
    link.send(&RunnerMessage::Ready(identity));
    let Some(order) = receive_load(link, engine, identity)? else { return finish(link) };
    // One that is not to make copies loses the right to before it sees the function.
    if order.purpose == Purpose::Events {
        inner.seal()?;
        return match load(link, engine, order)? {
            ControlFlow::Continue(()) => handle_events(link, engine),
            ControlFlow::Break(()) => finish(link),
        };
    }
    if load(link, engine, order)?.is_break() {
        return finish(link);
    }
    if matches!(follow(link, PLAIN, || ())?, Followed::Closed) {
        return Ok(());
    }
    inner.seal()?;
    engine.reseed();
    handle_events(link, engine)
}

/// Loads what the enclave sent. Goes on when there is a function.
fn load<E: Engine>(link: &mut Link, engine: &mut E, order: Order) -> Result<ControlFlow<()>, ServeError> {
    let Order { limits, source, .. } = order;
    let memory_mib = limits.memory_mib.clamp(MIN_MEMORY_MIB, MAX_MEMORY_MIB);
    let heap_bytes = u64::from(memory_mib) * 1024 * 1024;
    walls::lower_memory(heap_bytes, E::DEMANDS.reserved_bytes)?;
    engine.limit(heap_bytes, limits);
    let Some(loaded) = run_load(link, engine, source)? else { return Ok(ControlFlow::Break(())) };
    finish(link)?;
    Ok(match loaded {
        Ok(()) => {
            link.send(&RunnerMessage::Loaded);
            ControlFlow::Continue(())
        }
        Err(fault) => {
            link.send(&RunnerMessage::LoadFailed(fault));
            ControlFlow::Break(())
        }
    })
}

/// What is to be loaded.
struct Order {
    limits: FunctionLimits,
    purpose: Purpose,
    source: String,
}

fn receive_load(
    link: &mut Link,
    engine: &mut impl Engine,
    identity: Identity,
) -> Result<Option<Order>, ServeError> {
    loop {
        match link.receive(None)? {
            Received::Message(HostMessage::Load { limits, purpose, source }) => {
                return Ok(Some(Order { limits, purpose, source }));
            }
            Received::Message(HostMessage::Rehearse) => {
                engine.rehearse();
                link.send(&RunnerMessage::Ready(identity));
            }
            Received::Message(_) => return Err(ServeError::OutOfTurn),
            Received::Closed | Received::TimedOut => return Ok(None),
        }
    }
}

/// Loads the module. Nothing but the enclave's end can come meanwhile.
fn run_load(
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

fn handle_events(link: &mut Link, engine: &mut impl Engine) -> Result<(), ServeError> {
    engine.prepare();
    while let Some((id, event)) = receive_event(link)? {
        let Some(outcome) = run_event(link, engine, event)? else { return Ok(()) };
        let spent = engine.is_spent();
        link.send(&RunnerMessage::Done { id, outcome });
        if spent {
            break;
        }
        finish(link)?;
    }
    finish(link)
}

fn receive_event(link: &mut Link) -> Result<Option<(u64, String)>, ServeError> {
    loop {
        match link.receive(None)? {
            Received::Message(HostMessage::Invoke { id, event }) => return Ok(Some((id, event))),
            // The answer to a call that its event did not wait for.
            Received::Message(HostMessage::HostReply { .. }) => {}
            Received::Message(
                HostMessage::Load { .. } | HostMessage::Fork { .. } | HostMessage::Rehearse,
            ) => {
                return Err(ServeError::OutOfTurn);
            }
            Received::Closed | Received::TimedOut => return Ok(None),
        }
    }
}

fn run_event(
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
