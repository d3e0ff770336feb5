//! The imports of the module `r3e`: a module asks, waits, and reads the answer.
//!
//! | import | what it does |
//! |---|---|
//! | `call(at, length) -> length` | makes the host call whose JSON stands there, waits for its answer, and gives the answer's length |
//! | `read(at, length) -> length` | copies the answer there, or as much of it as has room, once |

use r3e_runner_api::limits::MAX_HOST_CALL_BYTES;
use r3e_runner_api::{HostCall, HostError, HostErrorCode, HostReply, HostValue};
use serde::Serialize;
use wasmtime::{Caller, Error, Linker};

use crate::guest::{Memory, State};

/// The module that the imports are of.
const MODULE: &str = "r3e";

/// An answer as a function reads it.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(HostValue),
    Err(HostError),
}

/// Gives modules the imports.
///
/// # Errors
/// The linker's own.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<(), Error> {
    linker.func_wrap_async(MODULE, "call", |mut caller: Caller<'_, State>, (at, length): (u32, u32)| {
        Box::new(async move {
            let (request, desk) = {
                let (mut memory, desk) = Memory::of(&mut caller)?;
                let request =
                    memory.slice(at, length).map_err(|_| Error::msg("r3e.call: no such address"))?;
                (parse(request), desk)
            };
            let answer = text(match request {
                Ok(call) => desk.call(call).await,
                Err(error) => Err(error),
            });
            let length =
                u32::try_from(answer.len()).map_err(|_| Error::msg("r3e.call: too long an answer"))?;
            desk.lock().unread = answer;
            Ok::<u32, Error>(length)
        })
    })?;
    linker.func_wrap(MODULE, "read", |mut caller: Caller<'_, State>, at: u32, length: u32| {
        let (mut memory, desk) = Memory::of(&mut caller)?;
        let answer = std::mem::take(&mut desk.lock().unread);
        let room = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = answer.as_bytes();
        let given = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        memory.write(at, given).map_err(|_| Error::msg("r3e.read: no such address"))?;
        Ok::<u32, Error>(u32::try_from(given.len()).unwrap_or(u32::MAX))
    })?;
    Ok(())
}

/// The text of an answer.
pub(crate) fn text(reply: HostReply) -> String {
    let answer = match reply {
        Ok(value) => Answer::Ok(value),
        Err(error) => Answer::Err(error),
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// The call of a request.
pub(crate) fn parse(request: &[u8]) -> Result<HostCall, HostError> {
    if request.len() > MAX_HOST_CALL_BYTES {
        return Err(too_large());
    }
    serde_json::from_slice(request)
        .map_err(|error| HostError { code: HostErrorCode::Invalid, message: error.to_string() })
}

/// The request does not fit a message.
pub(crate) fn too_large() -> HostError {
    HostError {
        code: HostErrorCode::TooLarge,
        message: "the request is larger than a function may send".to_owned(),
    }
}

/// A call while a function is loaded, when there is nobody to answer it.
pub(crate) fn at_top_level() -> HostError {
    let message = "host calls are made while an event is being handled, and only then".to_owned();
    HostError { code: HostErrorCode::Invalid, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_which_they_are() {
        let given = HostValue::StoreGet { value: Some("1".to_owned()) };
        assert_eq!(text(Ok(given)), r#"{"ok":{"op":"store_get","value":"1"}}"#);
        let refused = HostError { code: HostErrorCode::Denied, message: "no".to_owned() };
        assert_eq!(text(Err(refused)), r#"{"err":{"code":"denied","message":"no"}}"#);
    }

    #[test]
    fn requests_are_bounded_and_known() {
        assert!(parse(br#"{"op":"store_get","key":"a"}"#).is_ok());
        for wrong in
            [&b""[..], b"{}", br#"{"op":"exec"}"#, br#"{"op":"store_get","key":"a","more":1}"#, b"\xff"]
        {
            assert_eq!(parse(wrong).unwrap_err().code, HostErrorCode::Invalid, "{wrong:?}");
        }
        assert_eq!(parse(&vec![b' '; MAX_HOST_CALL_BYTES + 1]).unwrap_err().code, HostErrorCode::TooLarge);
    }
}
