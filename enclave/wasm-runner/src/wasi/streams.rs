//! Standard input, output and error: the event, the result and the log.

use std::future::poll_fn;
use std::task::Poll;

use wasmtime::{Caller, Error, Linker};

use super::{Errno, MODULE, number};
use crate::desk::Desk;
use crate::guest::{Memory, State};
use crate::orders::Garbled;

const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const LOG: u32 = 2;

/// The rights to read and to write, and to wait for either (`rights`): without that to seek, what is read is no file.
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const POLL: u64 = 1 << 27;

/// More output than may be.
const OVERFLOW: &str = "the result is longer than the function's limit";

pub(super) fn link(linker: &mut Linker<State>) -> Result<(), Error> {
    linker.func_wrap_async(
        MODULE,
        "fd_read",
        |mut caller: Caller<'_, State>, (descriptor, buffers, count, read): (u32, u32, u32, u32)| {
            Box::new(async move {
                let desk = caller.data().desk.clone();
                if descriptor == INPUT {
                    poll_fn(|_| if desk.lock().is_readable() { Poll::Ready(()) } else { Poll::Pending })
                        .await;
                }
                let (mut memory, _) = Memory::of(&mut caller)?;
                Ok::<u32, Error>(number(read_into(&mut memory, &desk, descriptor, (buffers, count), read)))
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, State>, descriptor: u32, buffers: u32, count: u32, written: u32| {
            let (mut memory, desk) = Memory::of(&mut caller)?;
            let done = write_from(&mut memory, &desk, descriptor, (buffers, count), written);
            // Nothing that the module does from here on is of use.
            if desk.lock().overflowed {
                return Err(Error::msg(OVERFLOW));
            }
            if desk.lock().is_garbled() {
                return Err(Garbled.into());
            }
            Ok(number(done))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut caller: Caller<'_, State>, descriptor: u32, at: u32| {
            let (mut memory, _) = Memory::of(&mut caller)?;
            Ok::<u32, Error>(number(describe(&mut memory, descriptor, at)))
        },
    )?;
    // A file of no known kind and of no length.
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut caller: Caller<'_, State>, descriptor: u32, at: u32| {
            let (mut memory, _) = Memory::of(&mut caller)?;
            let done = is_open(descriptor).and_then(|()| Ok(memory.write(at, &[0; 64])?));
            Ok::<u32, Error>(number(done))
        },
    )?;
    linker.func_wrap(MODULE, "fd_close", |descriptor: u32| number(is_open(descriptor)))?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |descriptor: u32, _flags: u32| {
        number(is_open(descriptor))
    })?;
    linker.func_wrap(MODULE, "fd_seek", |descriptor: u32, _by: u64, _from: u32, _at: u32| {
        number(is_open(descriptor).and(Err(Errno::NotSeekable)))
    })?;
    linker.func_wrap(MODULE, "fd_tell", |descriptor: u32, _at: u32| {
        number(is_open(descriptor).and(Err(Errno::NotSeekable)))
    })?;
    Ok(())
}

fn is_open(descriptor: u32) -> Result<(), Errno> {
    if descriptor <= LOG { Ok(()) } else { Err(Errno::BadDescriptor) }
}

fn read_into(
    memory: &mut Memory<'_>,
    desk: &Desk,
    descriptor: u32,
    (buffers, count): (u32, u32),
    read: u32,
) -> Result<(), Errno> {
    if descriptor != INPUT {
        return Err(Errno::BadDescriptor);
    }
    let mut desk = desk.lock();
    let mut total = 0usize;
    for (at, length) in memory.buffers(buffers, count)? {
        total += desk.read(memory.slice(at, length)?);
    }
    Ok(memory.write_u32(read, u32::try_from(total).unwrap_or(u32::MAX))?)
}

fn write_from(
    memory: &mut Memory<'_>,
    desk: &Desk,
    descriptor: u32,
    (buffers, count): (u32, u32),
    written: u32,
) -> Result<(), Errno> {
    if !matches!(descriptor, OUTPUT | LOG) {
        return Err(Errno::BadDescriptor);
    }
    let mut desk = desk.lock();
    let mut total = 0u32;
    for (at, length) in memory.buffers(buffers, count)? {
        let bytes = memory.slice(at, length)?;
        if descriptor == LOG {
            desk.write_log(LOG, bytes);
        } else if !desk.write(bytes) {
            return Err(Errno::Io);
        }
        total = total.saturating_add(length);
    }
    Ok(memory.write_u32(written, total)?)
}

/// `fdstat`: a file of no known kind, that can be read or written, and not sought in.
fn describe(memory: &mut Memory<'_>, descriptor: u32, at: u32) -> Result<(), Errno> {
    is_open(descriptor)?;
    let rights = if descriptor == INPUT { READ | POLL } else { WRITE | POLL };
    memory.write(at, &[0; 24])?;
    Ok(memory.write_u64(at.saturating_add(8), rights)?)
}
