//! One question, and what one node says to it.

use serde_json::{Value, json};

use super::fields::AnswerError;
use super::json::{JsonError, JsonLimits, read_json};
use super::transport::{Posted, Transport, TransportError};
use crate::limits::MAX_NODE_MESSAGE_CHARS;

/// HTTP's success.
const OK: u16 = 200;

/// A call of a node's method.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The method's name.
    pub method: &'static str,
    /// Its parameters, by position.
    pub parameters: Vec<Value>,
    /// How much of the answer is read.
    pub limits: JsonLimits,
}

/// Why a node gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// Nothing came back.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// What came is no JSON, or over a limit.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// HTTP's status says failure, and the body is no JSON-RPC error.
    #[error("the node answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The answer belongs to another question.
    #[error("the answer has another id than the question")]
    Id,
    /// Not the form of JSON-RPC 2.0.
    #[error("the answer is not of JSON-RPC 2.0's form: {rule}")]
    Form {
        /// The rule it broke.
        rule: &'static str,
    },
    /// The node refuses.
    #[error("the node refuses: {message:?} ({code})")]
    Node {
        /// Its code.
        code: i64,
        /// Its words, cut short.
        message: String,
    },
    /// The result is not what such a question has for an answer.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl Question {
    /// The body of the request.
    pub(super) fn body(&self, id: u64) -> Vec<u8> {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": self.method, "params": self.parameters });
        body.to_string().into_bytes()
    }

    /// Asks one node.
    pub(super) async fn ask<T: Transport>(
        &self,
        transport: &T,
        node: usize,
        id: u64,
    ) -> Result<Value, RpcError> {
        let posted = transport.post(node, self.body(id), self.limits.bytes).await?;
        read_answer(&posted, id, &self.limits)
    }
}

/// The result in an answer to the question `id`. An error may come under any status: `NeoGo` uses 422 for it. A result comes under
/// 200 alone.
///
/// # Errors
/// Each [`RpcError`] but those of the transport.
pub fn read_answer(posted: &Posted, id: u64, limits: &JsonLimits) -> Result<Value, RpcError> {
    let status = posted.status;
    let failed = |error: RpcError| if status == OK { error } else { RpcError::Status { status } };
    let value = read_json(&posted.body, limits).map_err(|error| failed(error.into()))?;
    let Value::Object(mut answer) = value else {
        return Err(failed(RpcError::Form { rule: "it must be an object" }));
    };
    if answer.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(failed(RpcError::Form { rule: "it must say version 2.0" }));
    }
    // A node that could not read the question has no id to repeat; then there is an error and no result.
    let id_of_none = answer.get("id") == Some(&Value::Null) && answer.contains_key("error");
    if answer.get("id").and_then(Value::as_u64) != Some(id) && !id_of_none {
        return Err(failed(RpcError::Id));
    }
    match (answer.remove("result"), answer.remove("error")) {
        (Some(result), None | Some(Value::Null)) if status == OK => Ok(result),
        (None | Some(Value::Null), Some(error)) if !error.is_null() => Err(refusal(&error)),
        _ => Err(failed(RpcError::Form { rule: "it must have a result or an error" })),
    }
}

fn refusal(error: &Value) -> RpcError {
    let code = error.get("code").and_then(Value::as_i64);
    let message = error.get("message").and_then(Value::as_str);
    match (code, message) {
        (Some(code), Some(message)) => {
            RpcError::Node { code, message: message.chars().take(MAX_NODE_MESSAGE_CHARS).collect() }
        }
        _ => RpcError::Form { rule: "an error has a code and a message" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Value, RpcError> {
        let posted = Posted { status, body: body.as_bytes().to_vec() };
        read_answer(&posted, 7, &JsonLimits::of_bytes(512))
    }

    #[test]
    fn results_and_errors() {
        assert_eq!(read(200, r#"{"jsonrpc":"2.0","id":7,"result":5}"#), Ok(json!(5)));
        assert_eq!(read(200, r#"{"jsonrpc":"2.0","id":7,"result":null}"#), Ok(Value::Null));
        assert_eq!(read(200, r#"{"jsonrpc":"2.0","id":7,"result":5,"error":null}"#), Ok(json!(5)));
        let refused = RpcError::Node { code: -100, message: "Unknown block".into() };
        let body = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-100,"message":"Unknown block"}}"#;
        assert_eq!(read(422, body), Err(refused.clone()));
        assert_eq!(read(200, body), Err(refused.clone()));
        assert_eq!(read(200, &body.replace("\"id\":7", "\"id\":null")), Err(refused));
    }

    #[test]
    fn what_is_no_answer() {
        for (status, body, expected) in [
            (200, r#"{"jsonrpc":"2.0","id":8,"result":5}"#, RpcError::Id),
            (200, r#"{"jsonrpc":"2.0","id":"7","result":5}"#, RpcError::Id),
            (200, r#"{"jsonrpc":"2.0","id":7.5,"result":5}"#, RpcError::Id),
            (200, r#"{"jsonrpc":"2.0","id":null,"result":5}"#, RpcError::Id),
            (200, r#"{"jsonrpc":"2.0","result":5}"#, RpcError::Id),
            (200, r#"{"jsonrpc":"2.0","id":7,"result":5"#, RpcError::Json(JsonError::Malformed)),
            (200, r#"{"jsonrpc":"2.0","id":7,"id":7,"result":5}"#, RpcError::Json(JsonError::Repeated)),
            (502, "<html>bad gateway</html>", RpcError::Status { status: 502 }),
            (422, r#"{"jsonrpc":"2.0","id":7,"result":5}"#, RpcError::Status { status: 422 }),
        ] {
            assert_eq!(read(status, body), Err(expected), "{body}");
        }
        for body in [
            "[]",
            r#"{"jsonrpc":"1.0","id":7,"result":5}"#,
            r#"{"jsonrpc":"2.0","id":7}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":5,"error":{"code":1,"message":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":"x"}"#,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":1}}"#,
        ] {
            assert!(matches!(read(200, body), Err(RpcError::Form { .. })), "{body}");
        }
        let long = format!(r#"{{"jsonrpc":"2.0","id":7,"result":"{}"}}"#, "x".repeat(512));
        assert_eq!(read(200, &long), Err(RpcError::Json(JsonError::TooLong { limit_bytes: 512 })));
        let wordy =
            format!(r#"{{"jsonrpc":"2.0","id":7,"error":{{"code":1,"message":"{}"}}}}"#, "x".repeat(300));
        assert!(matches!(read(200, &wordy), Err(RpcError::Node { message, .. }) if message.len() == 256));
    }
}
