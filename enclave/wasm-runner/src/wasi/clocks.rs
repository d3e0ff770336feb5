//! Time, and waiting for it. No clock is finer than a millisecond.

use std::time::Instant;

use wasmtime::{Caller, Error, Linker};

use super::{Errno, MODULE, number};
use crate::desk::{Desk, NANOS_PER_MS, after};
use crate::guest::{Memory, State};
use crate::limits::MAX_SUBSCRIPTIONS;

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

/// What may be waited for (`eventtype`), and where it stands in a subscription and an event.
const CLOCK: u8 = 0;
const STREAM: [u8; 2] = [1, 2];
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
/// `subclockflags`: the time is one of the clock's, not a while from now.
const ABSOLUTE: u32 = 1;
/// The last descriptor that is open.
const LAST_STREAM: u32 = 2;

/// One thing to wait for.
struct Subscription {
    user_data: [u8; 8],
    kind: u8,
    error: Errno,
    due: Option<Instant>,
}

pub(super) fn link(linker: &mut Linker<State>) -> Result<(), Error> {
    linker.func_wrap(MODULE, "clock_res_get", |mut caller: Caller<'_, State>, clock: u32, at: u32| {
        let (mut memory, _) = Memory::of(&mut caller)?;
        let known = if clock <= MONOTONIC { Ok(()) } else { Err(Errno::Invalid) };
        Ok::<u32, Error>(number(known.and_then(|()| Ok(memory.write_u64(at, NANOS_PER_MS)?))))
    })?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, State>, clock: u32, _precision: u64, at: u32| {
            let (mut memory, desk) = Memory::of(&mut caller)?;
            let done = now(&desk, clock).and_then(|now| Ok(memory.write_u64(at, now)?));
            Ok::<u32, Error>(number(done))
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "poll_oneoff",
        |mut caller: Caller<'_, State>, (from, to, count, happened): (u32, u32, u32, u32)| {
            Box::new(async move {
                let (waited_for, desk) = {
                    let (mut memory, desk) = Memory::of(&mut caller)?;
                    (subscriptions(&mut memory, &desk, from, count), desk)
                };
                let waited_for = match waited_for {
                    Ok(waited_for) => waited_for,
                    Err(error) => return Ok::<u32, Error>(error.code()),
                };
                sleep(&desk, &waited_for).await;
                let (mut memory, _) = Memory::of(&mut caller)?;
                Ok(number(tell(&mut memory, &waited_for, to, happened)))
            })
        },
    )?;
    Ok(())
}

/// A clock's time, in nanoseconds.
fn now(desk: &Desk, clock: u32) -> Result<u64, Errno> {
    let (elapsed, since_epoch) = desk.lock().time_ms();
    match clock {
        REALTIME => Ok(since_epoch.saturating_mul(NANOS_PER_MS)),
        MONOTONIC => Ok(elapsed.saturating_mul(NANOS_PER_MS)),
        _ => Err(Errno::Invalid),
    }
}

fn subscriptions(
    memory: &mut Memory<'_>,
    desk: &Desk,
    from: u32,
    count: u32,
) -> Result<Vec<Subscription>, Errno> {
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Err(Errno::Invalid);
    }
    let subscription = |number: u32| {
        let at = from.checked_add(number * SUBSCRIPTION_BYTES).ok_or(Errno::Fault)?;
        let bytes: [u8; 48] = memory.array(at)?;
        let field = |at: usize| bytes.get(at..).unwrap_or_default();
        let word = |at: usize| field(at).first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        let long = |at: usize| field(at).first_chunk().map_or(0, |long| u64::from_le_bytes(*long));
        let user_data = long(0).to_le_bytes();
        let kind = field(8).first().copied().unwrap_or_default();
        let (error, due) = match kind {
            CLOCK => match due(desk, word(16), long(24), word(40) & ABSOLUTE != 0) {
                Ok(due) => (Errno::Success, Some(due)),
                Err(error) => (error, None),
            },
            kind if STREAM.contains(&kind) && word(16) <= LAST_STREAM => (Errno::Success, None),
            kind if STREAM.contains(&kind) => (Errno::BadDescriptor, None),
            _ => return Err(Errno::Invalid),
        };
        Ok(Subscription { user_data, kind, error, due })
    };
    (0..count).map(subscription).collect()
}

/// When a clock's time has come.
fn due(desk: &Desk, clock: u32, nanos: u64, is_absolute: bool) -> Result<Instant, Errno> {
    let now_nanos = now(desk, clock)?;
    Ok(after(if is_absolute { nanos.saturating_sub(now_nanos) } else { nanos }))
}

/// Waits until the first is due; what is no clock is due at once.
async fn sleep(desk: &Desk, waited_for: &[Subscription]) {
    let first = waited_for.iter().map(|subscription| subscription.due).min().flatten();
    if let Some(first) = first {
        desk.sleep_until(first).await;
    }
}

/// Tells of all that are due.
fn tell(memory: &mut Memory<'_>, waited_for: &[Subscription], to: u32, happened: u32) -> Result<(), Errno> {
    let now = Instant::now();
    let mut told = 0u32;
    for subscription in waited_for.iter().filter(|subscription| subscription.due.is_none_or(|due| due <= now))
    {
        // The caller's mark, the error, the kind; what a stream would say of itself is zero.
        let [low, high] = (subscription.error as u16).to_le_bytes();
        let event = [&subscription.user_data[..], &[low, high, subscription.kind], &[0; 21]].concat();
        memory.write(to.checked_add(told * EVENT_BYTES).ok_or(Errno::Fault)?, &event)?;
        told += 1;
    }
    Ok(memory.write_u32(happened, told)?)
}
