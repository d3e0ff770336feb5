//! Texts that pass between the enclave's protocol and the function's thread.

use r3e_runner_api::limits::MAX_HOST_CALL_BYTES;
use r3e_runner_api::{Fault, FaultKind, HostCall, HostError, HostErrorCode, HostReply, HostValue};
use serde::{Deserialize, Serialize};

/// An answer as a function reads it.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(HostValue),
    Err(HostError),
}

/// A failure as the function's loop tells it. The function shares its process, and may tell what it likes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    kind: FaultKind,
    name: String,
    message: String,
    stack: String,
}

/// The text of an answer.
pub fn answer(reply: HostReply) -> String {
    let answer = match reply {
        Ok(value) => Answer::Ok(value),
        Err(error) => Answer::Err(error),
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// The call of a request.
///
/// # Errors
/// What the function is told instead of an answer.
pub fn call(request: &str) -> Result<HostCall, HostError> {
    if request.len() > MAX_HOST_CALL_BYTES {
        return Err(too_large());
    }
    serde_json::from_str(request)
        .map_err(|error| HostError { code: HostErrorCode::Invalid, message: error.to_string() })
}

/// The request does not fit a message.
pub fn too_large() -> HostError {
    HostError {
        code: HostErrorCode::TooLarge,
        message: "the request is larger than a function may send".to_owned(),
    }
}

/// A call when no event is being handled, and nobody would answer it.
pub fn between_events() -> HostError {
    let message = "host calls are made while an event is being handled, and only then".to_owned();
    HostError { code: HostErrorCode::Invalid, message }
}

/// The fault of a text.
pub fn fault(text: &str) -> Fault {
    let Ok(Failure { kind, name, message, stack }) = serde_json::from_str(text) else {
        return Fault::new(FaultKind::Thrown, "Exception", "a failure that cannot be read", None);
    };
    Fault::new(kind, &name, &message, (!stack.is_empty()).then_some(stack.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_which_they_are() {
        let given = HostValue::StoreGet { value: Some("1".to_owned()) };
        assert_eq!(answer(Ok(given)), r#"{"ok":{"op":"store_get","value":"1"}}"#);
        let refused = HostError { code: HostErrorCode::Denied, message: "no".to_owned() };
        assert_eq!(answer(Err(refused)), r#"{"err":{"code":"denied","message":"no"}}"#);
    }

    #[test]
    fn requests_are_bounded_and_known() {
        assert!(call(r#"{"op":"store_get","key":"a"}"#).is_ok());
        for wrong in ["", "{}", r#"{"op":"exec"}"#, r#"{"op":"store_get","key":"a","more":1}"#] {
            assert_eq!(call(wrong).unwrap_err().code, HostErrorCode::Invalid, "{wrong:?}");
        }
        assert_eq!(call(&" ".repeat(MAX_HOST_CALL_BYTES + 1)).unwrap_err().code, HostErrorCode::TooLarge);
    }

    #[test]
    fn a_failure_that_was_made_up_is_one() {
        let told = fault(r#"{"kind":"memory","name":"OutOfMemoryException","message":"","stack":""}"#);
        assert_eq!((told.kind, told.stack), (FaultKind::Memory, None));
        for wrong in ["", "null", r#"{"kind":"none","name":"","message":"","stack":""}"#] {
            assert_eq!(fault(wrong).kind, FaultKind::Thrown, "{wrong:?}");
        }
    }
}
