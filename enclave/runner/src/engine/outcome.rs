//! Faults that the engine itself reports, and the engine's errors as faults.

use deno_core::error::{CoreError, CoreErrorKind, JsError};
use r3e_runner_api::{Fault, FaultKind};

/// The engine's error in the protocol's terms.
pub(super) fn fault_of(kind: FaultKind, error: &CoreError) -> Fault {
    match error.as_kind() {
        CoreErrorKind::Js(error) => fault_of_script(kind, error),
        other => Fault::new(kind, "Error", &other.to_string(), None),
    }
}

fn fault_of_script(kind: FaultKind, error: &JsError) -> Fault {
    let name = error.name.as_deref().unwrap_or("Error");
    let message = error.message.as_deref().unwrap_or(&error.exception_message);
    let kind = if kind == FaultKind::Thrown && name == "SyntaxError" && error.stack.is_none() {
        FaultKind::Module
    } else {
        kind
    };
    Fault::new(kind, name, message, error.stack.as_deref())
}

/// The heap is exhausted.
pub(super) fn out_of_memory() -> Fault {
    Fault::new(FaultKind::Memory, "RangeError", "the function's memory limit is reached", None)
}

/// Nothing is left that could settle `what`.
pub(super) fn never_settled(what: &str) -> Fault {
    let message = format!("{what} waits for something that can never happen");
    Fault::new(FaultKind::NeverSettled, "Error", &message, None)
}

/// The module does not export what it must.
pub(super) fn no_handler() -> Fault {
    Fault::new(FaultKind::NoHandler, "TypeError", "the module's default export is not a function", None)
}

/// The prelude itself could not run.
pub(super) fn broken() -> Fault {
    Fault::new(FaultKind::Thrown, "InternalError", "the event could not be handed to the function", None)
}
