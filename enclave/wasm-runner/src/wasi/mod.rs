//! WASI preview 1, as far as a process without files, network and environment has any: standard input, output and error; the time
//! in whole milliseconds; randomness; sleep. Every other call is there, so that what was built for WASI links, and fails by an error
//! number: there is no code here that opens anything.

mod clocks;
mod refused;
mod streams;

use wasmtime::{Caller, Error, Linker};

use crate::guest::{Fault, Memory, State};
use crate::limits::MAX_RANDOM_BYTES;
use crate::outcome::Exit;

/// The module that the imports are of.
const MODULE: &str = "wasi_snapshot_preview1";

/// `errno` of WASI preview 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
enum Errno {
    Success = 0,
    BadDescriptor = 8,
    Fault = 21,
    Invalid = 28,
    Io = 29,
    NotSupported = 58,
    NotSeekable = 70,
}

impl Errno {
    fn code(self) -> u32 {
        u32::from(self as u16)
    }
}

impl From<Fault> for Errno {
    fn from(_: Fault) -> Self {
        Self::Fault
    }
}

/// What a call gives its caller.
fn number(done: Result<(), Errno>) -> u32 {
    done.err().unwrap_or(Errno::Success).code()
}

/// Gives modules all of WASI preview 1.
///
/// # Errors
/// The linker's own.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<(), Error> {
    streams::link(linker)?;
    clocks::link(linker)?;
    refused::link(linker)?;
    linker.func_wrap(MODULE, "args_sizes_get", |mut caller: Caller<'_, State>, count: u32, bytes: u32| {
        let arguments = caller.data().arguments;
        let (mut memory, _) = Memory::of(&mut caller)?;
        let length = arguments.iter().map(|argument| argument.len() + 1).sum::<usize>();
        let (number_of, length) = (u32::try_from(arguments.len()), u32::try_from(length));
        let written = memory
            .write_u32(count, number_of.unwrap_or(u32::MAX))
            .and_then(|()| memory.write_u32(bytes, length.unwrap_or(u32::MAX)));
        Ok::<u32, Error>(number(written.map_err(Errno::from)))
    })?;
    linker.func_wrap(MODULE, "args_get", |mut caller: Caller<'_, State>, pointers: u32, texts: u32| {
        let arguments = caller.data().arguments;
        let (mut memory, _) = Memory::of(&mut caller)?;
        Ok::<u32, Error>(number(write_arguments(&mut memory, arguments, pointers, texts)))
    })?;
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut caller: Caller<'_, State>, count: u32, bytes: u32| {
            let (mut memory, _) = Memory::of(&mut caller)?;
            let written = memory.write_u32(count, 0).and_then(|()| memory.write_u32(bytes, 0));
            Ok::<u32, Error>(number(written.map_err(Errno::from)))
        },
    )?;
    linker.func_wrap(MODULE, "environ_get", |_pointers: u32, _texts: u32| Errno::Success.code())?;
    linker.func_wrap(MODULE, "random_get", |mut caller: Caller<'_, State>, at: u32, length: u32| {
        let (mut memory, _) = Memory::of(&mut caller)?;
        Ok::<u32, Error>(number(random(&mut memory, at, length)))
    })?;
    linker.func_wrap(MODULE, "sched_yield", || Errno::Success.code())?;
    linker.func_wrap(MODULE, "proc_exit", |status: u32| -> Result<(), Error> { Err(Exit(status).into()) })?;
    Ok(())
}

/// The arguments, each with a NUL after it, and where each begins.
fn write_arguments(
    memory: &mut Memory<'_>,
    arguments: &[&str],
    pointers: u32,
    texts: u32,
) -> Result<(), Errno> {
    let (mut pointer, mut text) = (pointers, texts);
    for argument in arguments {
        let bytes = [argument.as_bytes(), b"\0"].concat();
        memory.write_u32(pointer, text)?;
        memory.write(text, &bytes)?;
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        (pointer, text) = (pointer.saturating_add(4), text.saturating_add(length));
    }
    Ok(())
}

fn random(memory: &mut Memory<'_>, at: u32, length: u32) -> Result<(), Errno> {
    let bytes = memory.slice(at, length)?;
    if bytes.len() > MAX_RANDOM_BYTES {
        return Err(Errno::Invalid);
    }
    crate::random::fill(bytes).map_err(|_| Errno::Io)
}
