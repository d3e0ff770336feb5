//! WASI 0.2, as far as a process without files, network and environment has any: standard input, output and error; the time in whole
//! milliseconds; randomness; sleep.

mod cli;
mod clocks;
mod streams;

use wasmtime::component::{LinkerInstance, Resource, ResourceType};
use wasmtime::{Error, StoreContextMut};

use crate::guest::State;
use crate::limits::MAX_RANDOM_BYTES;

type Store<'a> = StoreContextMut<'a, State>;

/// A file or a folder, of which there are none.
enum Descriptor {}

/// Gives a component what there is of an interface: of files and sockets nothing, so that whoever calls is ended.
///
/// # Errors
/// The linker's own.
pub(super) fn link(into: &mut LinkerInstance<'_, State>, interface: &str) -> Result<(), Error> {
    match interface {
        "io/error" => streams::error(into),
        "io/poll" => clocks::poll(into),
        "io/streams" => streams::link(into),
        "clocks/monotonic-clock" => clocks::monotonic(into),
        "clocks/wall-clock" => clocks::wall(into),
        "cli/environment" => cli::environment(into),
        "cli/exit" => cli::exit(into),
        "cli/stdin" => streams::stdin(into),
        "cli/stdout" => streams::stdout(into),
        "cli/stderr" => streams::stderr(into),
        "cli/terminal-input" => cli::terminal_input(into),
        "cli/terminal-output" => cli::terminal_output(into),
        "cli/terminal-stdin" => cli::terminal_stdin(into),
        "cli/terminal-stdout" => cli::terminal(into, "get-terminal-stdout"),
        "cli/terminal-stderr" => cli::terminal(into, "get-terminal-stderr"),
        "filesystem/types" => into.resource("descriptor", ResourceType::host::<Descriptor>(), |_, _| Ok(())),
        "filesystem/preopens" => into.func_wrap("get-directories", |_: Store<'_>, (): ()| {
            Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
        }),
        "random/random" => {
            random_bytes(into, "get-random-bytes")?;
            into.func_wrap("get-random-u64", |_: Store<'_>, (): ()| Ok((u64::from_le_bytes(random()?),)))
        }
        "random/insecure" => {
            random_bytes(into, "get-insecure-random-bytes")?;
            into.func_wrap("get-insecure-random-u64", |_: Store<'_>, (): ()| {
                Ok((u64::from_le_bytes(random()?),))
            })
        }
        "random/insecure-seed" => into.func_wrap("insecure-seed", |_: Store<'_>, (): ()| {
            Ok(((u64::from_le_bytes(random()?), u64::from_le_bytes(random()?)),))
        }),
        _ => Ok(()),
    }
}

fn random_bytes(into: &mut LinkerInstance<'_, State>, name: &str) -> Result<(), Error> {
    into.func_wrap(name, |_: Store<'_>, (length,): (u64,)| {
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_RANDOM_BYTES);
        let Some(length) = length else {
            return Err(Error::msg(format!("more than {MAX_RANDOM_BYTES} random bytes at once")));
        };
        let mut bytes = vec![0; length];
        crate::random::fill(&mut bytes)?;
        Ok((bytes,))
    })
}

fn random() -> Result<[u8; 8], Error> {
    let mut bytes = [0; 8];
    crate::random::fill(&mut bytes)?;
    Ok(bytes)
}
