//! `wasi:cli`, but for the streams: arguments, and how a command ends. There is no environment and no terminal.

use wasmtime::Error;
use wasmtime::component::{LinkerInstance, Resource, ResourceType};

use super::Store;
use crate::guest::State;
use crate::outcome::Exit;

type Instance<'a> = LinkerInstance<'a, State>;

/// Terminals, of which there are none.
enum TerminalInput {}
enum TerminalOutput {}

pub(super) fn environment(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("get-environment", |_: Store<'_>, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
    into.func_wrap("get-arguments", |store: Store<'_>, (): ()| {
        let arguments = store.data().arguments.iter();
        Ok((arguments.map(|argument| (*argument).to_owned()).collect::<Vec<_>>(),))
    })?;
    into.func_wrap("initial-cwd", |_: Store<'_>, (): ()| Ok((None::<String>,)))
}

pub(super) fn exit(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("exit", |_: Store<'_>, (status,): (Result<(), ()>,)| -> Result<(), Error> {
        Err(Exit(u32::from(status.is_err())).into())
    })?;
    into.func_wrap("exit-with-code", |_: Store<'_>, (status,): (u8,)| -> Result<(), Error> {
        Err(Exit(u32::from(status)).into())
    })
}

pub(super) fn terminal_input(into: &mut Instance<'_>) -> Result<(), Error> {
    into.resource("terminal-input", ResourceType::host::<TerminalInput>(), |_, _| Ok(()))
}

pub(super) fn terminal_output(into: &mut Instance<'_>) -> Result<(), Error> {
    into.resource("terminal-output", ResourceType::host::<TerminalOutput>(), |_, _| Ok(()))
}

pub(super) fn terminal_stdin(into: &mut Instance<'_>) -> Result<(), Error> {
    into.func_wrap("get-terminal-stdin", |_: Store<'_>, (): ()| Ok((None::<Resource<TerminalInput>>,)))
}

pub(super) fn terminal(into: &mut Instance<'_>, name: &str) -> Result<(), Error> {
    into.func_wrap(name, |_: Store<'_>, (): ()| Ok((None::<Resource<TerminalOutput>>,)))
}
