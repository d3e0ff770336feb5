//! `wasi:io/streams`, and the streams of `wasi:cli`: the event, the result and the log.

use wasmtime::Error;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, ResourceType};

use super::Store;
use super::clocks::Pollable;
use crate::guest::State;
use crate::limits::MAX_STREAM_BYTES;

type Instance<'a> = LinkerInstance<'a, State>;

/// Standard input. There is one, and no other stream to read.
struct Input;

/// What is written to; its handle's number says which.
struct Output;

/// Standard output, which is the result or the log's; standard error, which is the log's.
const RESULT: u32 = 1;
const LOG: u32 = 2;

/// Why a stream failed, which none does.
enum IoError {}

/// Why a stream gives or takes nothing.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the type has to be whole")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Done<T> = Result<T, StreamError>;

/// More output than may be.
const OVERFLOW: &str = "the result is longer than the function's limit";

pub(super) fn error(into: &mut Instance<'_>) -> Result<(), Error> {
    into.resource("error", ResourceType::host::<IoError>(), |_, _| Ok(()))?;
    into.func_wrap("[method]error.to-debug-string", |_: Store<'_>, (_,): (Resource<IoError>,)| {
        Ok((String::new(),))
    })
}

pub(super) fn stdin(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("get-stdin", |_: Store<'_>, (): ()| Ok((Resource::<Input>::new_own(0),)))
}

pub(super) fn stdout(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("get-stdout", |_: Store<'_>, (): ()| Ok((Resource::<Output>::new_own(RESULT),)))
}

pub(super) fn stderr(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("get-stderr", |_: Store<'_>, (): ()| Ok((Resource::<Output>::new_own(LOG),)))
}

pub(super) fn link(into: &mut Instance<'_>) -> Result<(), Error> {
    into.resource("input-stream", ResourceType::host::<Input>(), |_, _| Ok(()))?;
    into.resource("output-stream", ResourceType::host::<Output>(), |_, _| Ok(()))?;
    input(into)?;
    output(into)
}

fn input(into: &mut Instance<'_>) -> Result<(), Error> {
    for name in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        into.func_wrap(name, |store: Store<'_>, (_, length): (Resource<Input>, u64)| {
            Ok((read(&store, length),))
        })?;
    }
    for name in ["[method]input-stream.skip", "[method]input-stream.blocking-skip"] {
        into.func_wrap(name, |store: Store<'_>, (_, length): (Resource<Input>, u64)| {
            Ok((read(&store, length).map(|bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),))
        })?;
    }
    into.func_wrap("[method]input-stream.subscribe", |mut store: Store<'_>, (_,): (Resource<Input>,)| {
        Ok((store.data_mut().resources.push(Pollable(None))?,))
    })
}

fn output(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("[method]output-stream.check-write", |_: Store<'_>, (_,): (Resource<Output>,)| {
        Ok((Done::Ok(u64::try_from(MAX_STREAM_BYTES).unwrap_or(u64::MAX)),))
    })?;
    for name in ["[method]output-stream.write", "[method]output-stream.blocking-write-and-flush"] {
        into.func_wrap(name, |store: Store<'_>, (to, bytes): (Resource<Output>, Vec<u8>)| {
            write(&store, &to, &bytes)
        })?;
    }
    for name in
        ["[method]output-stream.write-zeroes", "[method]output-stream.blocking-write-zeroes-and-flush"]
    {
        into.func_wrap(name, |store: Store<'_>, (to, length): (Resource<Output>, u64)| {
            let length = usize::try_from(length).ok().filter(|length| *length <= MAX_STREAM_BYTES);
            let length = length.ok_or_else(|| Error::msg("more zeroes than check-write said"))?;
            write(&store, &to, &vec![0; length])
        })?;
    }
    for name in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        into.func_wrap(name, |_: Store<'_>, (_,): (Resource<Output>,)| Ok((Done::Ok(()),)))?;
    }
    for name in ["[method]output-stream.splice", "[method]output-stream.blocking-splice"] {
        into.func_wrap(
            name,
            |store: Store<'_>, (to, _, length): (Resource<Output>, Resource<Input>, u64)| {
                let bytes = match read(&store, length) {
                    Ok(bytes) => bytes,
                    Err(error) => return Ok((Err(error),)),
                };
                let (written,) = write(&store, &to, &bytes)?;
                Ok((written.map(|()| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),))
            },
        )?;
    }
    into.func_wrap("[method]output-stream.subscribe", |mut store: Store<'_>, (_,): (Resource<Output>,)| {
        Ok((store.data_mut().resources.push(Pollable(None))?,))
    })
}

/// So many bytes of the event, or fewer; it ends where it ends.
fn read(store: &Store<'_>, length: u64) -> Done<Vec<u8>> {
    let mut bytes = vec![0; bounded(length)];
    let count = store.data().desk.lock().read(&mut bytes);
    if count == 0 && length > 0 {
        return Err(StreamError::Closed);
    }
    bytes.truncate(count);
    Ok(bytes)
}

fn write(store: &Store<'_>, to: &Resource<Output>, bytes: &[u8]) -> Result<(Done<()>,), Error> {
    let mut desk = store.data().desk.lock();
    if to.rep() == RESULT && store.data().output_is_result {
        if desk.write(bytes) {
            return Ok((Ok(()),));
        }
        // Nothing that the component does from here on is of use.
        return Err(Error::msg(OVERFLOW));
    }
    desk.write_log(to.rep(), bytes);
    Ok((Ok(()),))
}

fn bounded(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(MAX_STREAM_BYTES)
}
