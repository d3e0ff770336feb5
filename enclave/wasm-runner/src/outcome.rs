//! How a command ended, in the protocol's terms.

use r3e_runner_api::{Fault, FaultKind, json};
use thiserror::Error;
use wasmtime::{Trap, WasmBacktrace};

/// The module's own end, by `proc_exit`.
#[derive(Debug, Error)]
#[error("the module exited with status {0}")]
pub(crate) struct Exit(pub(crate) u32);

/// A component's own refusal of an event, in its words.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Refusal(pub(crate) String);

/// What a command's end was accompanied by.
pub(crate) struct Circumstances {
    pub(crate) output: Vec<u8>,
    pub(crate) output_overflowed: bool,
    pub(crate) max_output_bytes: u32,
    pub(crate) was_refused_memory: bool,
}

/// The output of a command that ended well, or why there is none.
pub(crate) fn outcome(
    ended: Result<(), wasmtime::Error>,
    circumstances: Circumstances,
) -> Result<String, Fault> {
    if circumstances.output_overflowed {
        let message = format!(
            "the result is longer than the function's limit of {} bytes",
            circumstances.max_output_bytes
        );
        return Err(Fault::new(FaultKind::ResultTooLarge, "RangeError", &message, None));
    }
    match ended {
        Err(error) if !matches!(error.downcast_ref(), Some(Exit(0))) => {
            Err(fault(&error, circumstances.was_refused_memory))
        }
        _ => result(circumstances.output),
    }
}

/// The fault of an error that ended a module.
pub(crate) fn fault(error: &wasmtime::Error, was_refused_memory: bool) -> Fault {
    // What a component says of itself it says although it was refused memory, and knows.
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return Fault::new(FaultKind::Thrown, "Error", &refusal.to_string(), None);
    }
    if was_refused_memory {
        return Fault::new(FaultKind::Memory, "MemoryError", "the function's memory limit is reached", None);
    }
    let stack = error.downcast_ref::<WasmBacktrace>().map(trace);
    let stack = stack.as_deref();
    if let Some(exit) = error.downcast_ref::<Exit>() {
        return Fault::new(FaultKind::Thrown, "Exit", &exit.to_string(), None);
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => Fault::new(FaultKind::Thrown, "Trap", &trap.to_string(), stack),
        None => Fault::new(FaultKind::Thrown, "Error", &error.root_cause().to_string(), stack),
    }
}

/// The functions that were being called, innermost first.
fn trace(backtrace: &WasmBacktrace) -> String {
    let frame = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => format!("    at {name}\n"),
        None => format!("    at function {}\n", frame.func_index()),
    };
    backtrace.frames().iter().map(frame).collect()
}

/// A result: JSON text; nothing at all is `null`.
fn result(output: Vec<u8>) -> Result<String, Fault> {
    let no_json = |why: &str| {
        let message = format!("the result is no JSON: {why}");
        Fault::new(FaultKind::ResultNotJson, "TypeError", &message, None)
    };
    let mut text = String::from_utf8(output).map_err(|_| no_json("it is not UTF-8"))?;
    text.truncate(text.trim_end().len());
    if text.is_empty() {
        return Ok("null".to_owned());
    }
    json::check(&text).map_err(|error| no_json(&error.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ended: Result<(), wasmtime::Error>, output: &[u8]) -> Result<String, FaultKind> {
        let circumstances = Circumstances {
            output: output.to_vec(),
            output_overflowed: false,
            max_output_bytes: 9,
            was_refused_memory: false,
        };
        outcome(ended, circumstances).map_err(|fault| fault.kind)
    }

    #[test]
    fn a_result_is_json() {
        assert_eq!(ended(Ok(()), b"{\"a\":1}\n").unwrap(), "{\"a\":1}");
        assert_eq!(ended(Err(Exit(0).into()), b"1").unwrap(), "1");
        assert_eq!(ended(Ok(()), b"").unwrap(), "null");
        assert_eq!(ended(Ok(()), b"hello"), Err(FaultKind::ResultNotJson));
        assert_eq!(ended(Ok(()), b"\xff"), Err(FaultKind::ResultNotJson));
        assert_eq!(ended(Ok(()), b"1 2"), Err(FaultKind::ResultNotJson));
        assert_eq!(ended(Err(Exit(3).into()), b"1"), Err(FaultKind::Thrown));
    }

    #[test]
    fn what_was_missing_says_why_it_ended() {
        let of = |output_overflowed, was_refused_memory| {
            let circumstances = Circumstances {
                output: Vec::new(),
                output_overflowed,
                max_output_bytes: 9,
                was_refused_memory,
            };
            outcome(Err(Trap::UnreachableCodeReached.into()), circumstances).unwrap_err()
        };
        assert_eq!(of(true, true).kind, FaultKind::ResultTooLarge);
        assert_eq!(of(false, true).kind, FaultKind::Memory);
        let trapped = of(false, false);
        assert_eq!((trapped.kind, trapped.name.as_str()), (FaultKind::Thrown, "Trap"));
        assert!(trapped.message.contains("unreachable"), "{}", trapped.message);
    }
}
