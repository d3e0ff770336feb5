//! `wasi:clocks`, and `wasi:io/poll`: time, and waiting for it. No clock is finer than a millisecond.

use std::time::Instant;

use wasmtime::Error;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, ResourceType};

use super::Store;
use crate::desk::{Desk, NANOS_PER_MS, after};
use crate::guest::State;
use crate::limits::MAX_POLLED;

type Instance<'a> = LinkerInstance<'a, State>;

const MS_PER_S: u64 = 1000;

/// Something to wait for: a time, or nothing, since a stream is always ready.
pub(super) struct Pollable(pub(super) Option<Instant>);

impl Pollable {
    fn is_ready(&self) -> bool {
        self.0.is_none_or(|due| due <= Instant::now())
    }
}

/// A point of time, as `wall-clock` has it.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn poll(into: &mut Instance<'_>) -> Result<(), Error> {
    into.resource("pollable", ResourceType::host::<Pollable>(), |mut store, handle| {
        store.data_mut().resources.delete(Resource::<Pollable>::new_own(handle))?;
        Ok(())
    })?;
    into.func_wrap("[method]pollable.ready", |store: Store<'_>, (of,): (Resource<Pollable>,)| {
        Ok((store.data().resources.get(&of)?.is_ready(),))
    })?;
    into.func_wrap_async("[method]pollable.block", |store: Store<'_>, (of,): (Resource<Pollable>,)| {
        let due = due(&store, &[of]);
        let desk = store.data().desk.clone();
        Box::new(async move {
            wait(&desk, &due?).await;
            Ok(())
        })
    })?;
    into.func_wrap_async("poll", |store: Store<'_>, (all,): (Vec<Resource<Pollable>>,)| {
        let due = due(&store, &all);
        let desk = store.data().desk.clone();
        Box::new(async move {
            let due = due?;
            wait(&desk, &due).await;
            let now = Instant::now();
            let ready = due.iter().zip(0u32..).filter(|(due, _)| due.is_none_or(|due| due <= now));
            Ok((ready.map(|(_, place)| place).collect::<Vec<_>>(),))
        })
    })
}

pub(super) fn monotonic(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("now", |store: Store<'_>, (): ()| Ok((now(&store),)))?;
    into.func_wrap("resolution", |_: Store<'_>, (): ()| Ok((NANOS_PER_MS,)))?;
    into.func_wrap("subscribe-instant", |mut store: Store<'_>, (then,): (u64,)| {
        let due = after(then.saturating_sub(now(&store)));
        Ok((store.data_mut().resources.push(Pollable(Some(due)))?,))
    })?;
    into.func_wrap("subscribe-duration", |mut store: Store<'_>, (nanos,): (u64,)| {
        Ok((store.data_mut().resources.push(Pollable(Some(after(nanos))))?,))
    })
}

pub(super) fn wall(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("now", |store: Store<'_>, (): ()| {
        let (_, since_epoch) = store.data().desk.lock().time_ms();
        let nanoseconds = u32::try_from(since_epoch % MS_PER_S * NANOS_PER_MS).unwrap_or_default();
        Ok((Datetime { seconds: since_epoch / MS_PER_S, nanoseconds },))
    })?;
    into.func_wrap("resolution", |_: Store<'_>, (): ()| {
        Ok((Datetime { seconds: 0, nanoseconds: u32::try_from(NANOS_PER_MS).unwrap_or_default() },))
    })
}

fn now(store: &Store<'_>) -> u64 {
    let (elapsed, _) = store.data().desk.lock().time_ms();
    elapsed.saturating_mul(NANOS_PER_MS)
}

/// When each is ready.
fn due(store: &Store<'_>, all: &[Resource<Pollable>]) -> Result<Vec<Option<Instant>>, Error> {
    if all.is_empty() || all.len() > MAX_POLLED {
        return Err(Error::msg(format!("poll waits for 1 to {MAX_POLLED} things")));
    }
    let resources = &store.data().resources;
    all.iter().map(|of| Ok(resources.get(of)?.0)).collect()
}

/// Waits until the first is ready.
async fn wait(desk: &Desk, due: &[Option<Instant>]) {
    if let Some(first) = due.iter().min().copied().flatten() {
        desk.sleep_until(first).await;
    }
}
