//! What a refused allocation may come to: not every path of the engine expects one, and some go on with nothing and crash there. Such a
//! crash is the end of the function's memory and is told as that, so that nobody looks for a defect of the enclave, or tries again.

use std::sync::OnceLock;

use deno_core::v8;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use r3e_runner_api::process::EXIT_OUT_OF_MEMORY;

/// How the engine crashes: by reading nothing, and by checks of its own.
const CRASHES: [Signal; 2] = [Signal::SIGSEGV, Signal::SIGABRT];

/// Whom to ask whether memory was refused. One process has one engine.
static ENGINE: OnceLock<v8::IsolateHandle> = OnceLock::new();

/// From here on a crash after the heap was exhausted ends the process by the status that says so; any other ends it as before.
pub(super) fn tell(engine: v8::IsolateHandle) -> nix::Result<()> {
    if ENGINE.set(engine).is_err() {
        return Ok(());
    }
    // The stack may be what was exhausted. After the first signal the default stands again.
    let flags = SaFlags::SA_ONSTACK | SaFlags::SA_RESETHAND;
    let action = SigAction::new(SigHandler::Handler(crashed), flags, SigSet::empty());
    for signal in CRASHES {
        // SAFETY: the handler reads one flag behind a lock that nothing holds while it may crash, and ends the process.
        unsafe { sigaction(signal, &action)? };
    }
    Ok(())
}

extern "C" fn crashed(signal: i32) {
    if ENGINE.get().is_some_and(v8::IsolateHandle::is_execution_terminating) {
        // SAFETY: ends the process at once; nothing of it is used afterwards.
        unsafe { libc::_exit(EXIT_OUT_OF_MEMORY) }
    }
    // A fault comes again as soon as this returns, and meets the default. An abort might not: it is made again, the one signal that a
    // process may send itself.
    if signal == libc::SIGABRT {
        // SAFETY: allowed in a handler.
        unsafe { libc::raise(signal) };
    }
}
