//! Calls that change nothing, as the nodes of a chain agree on what they give.

use serde_json::{Value, json};

use super::source::question;
use crate::evm::{EvmAddress, HexBytes};
use crate::limits::MAX_CALL_ANSWER_BYTES;
use crate::rpc::{Answer, AnswerError, Quorum, QuorumError, RpcError, Transport};

/// What nodes call an error that a contract made: geth, erigon, reth and anvil; Nethermind.
const REVERTED: [i64; 2] = [3, -32_015];
/// The same in their words, where the code is one for all kinds of errors.
const REVERTED_WORDS: [&str; 14] = [
    "revert",
    "out of gas",
    "invalid opcode",
    "invalidfeopcode",
    "invalid jump",
    "stack underflow",
    "stack limit reached",
    "write protection",
    "return data out of bounds",
    "max code size exceeded",
    "must not begin with 0xef",
    "gas uint64 overflow",
    "vm execution error",
    "evm error",
];

/// The contracts of a chain.
#[derive(Debug)]
pub struct EvmCalls<'a, T> {
    nodes: &'a Quorum<T>,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// It gives this.
    Returned(Vec<u8>),
    /// It was reverted, or failed otherwise.
    Reverted,
}

impl<'a, T: Transport> EvmCalls<'a, T> {
    /// Those of the chain that `nodes` are of.
    pub fn new(nodes: &'a Quorum<T>) -> Self {
        Self { nodes }
    }

    /// What a call of `contract` with `data` gives in the state behind the block at `height`. Nobody makes it: the sender is the zero address.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn call(
        &self,
        contract: EvmAddress,
        data: &HexBytes,
        height: u64,
    ) -> Result<Called, QuorumError> {
        // Under the older name of the two, which every node knows.
        let parameters = vec![json!({ "to": contract, "data": data }), json!(format!("{height:#x}"))];
        let question = question("eth_call", parameters, MAX_CALL_ANSWER_BYTES);
        let read = |said: Result<Value, RpcError>| match said {
            Ok(answer) => {
                let bytes = answer.as_str().and_then(|text| text.parse::<HexBytes>().ok());
                Ok(Called::Returned(bytes.ok_or(AnswerError::Form { what: "result of a call" })?.0))
            }
            Err(error) if is_revert(&error) => Ok(Called::Reverted),
            Err(error) => Err(error),
        };
        self.nodes.ask_anyhow(&question, read).await
    }
}

impl Answer for Called {
    fn summary(&self) -> String {
        match self {
            Self::Returned(data) => format!("{} bytes", data.len()),
            Self::Reverted => "that it is reverted".to_owned(),
        }
    }
}

/// Whether it is the contract that fails, and not the node.
fn is_revert(error: &RpcError) -> bool {
    let RpcError::Node { code, message } = error else { return false };
    let message = message.to_ascii_lowercase();
    REVERTED.contains(code) || REVERTED_WORDS.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contracts_failure_is_told_from_a_nodes() {
        let of = |code, message: &str| is_revert(&RpcError::Node { code, message: message.to_owned() });
        // geth, Nethermind, Besu, geth again.
        assert!(of(3, "execution reverted: no") && of(-32_015, "VM execution error."));
        assert!(of(-32_000, "Execution reverted") && of(-32_000, "out of gas"));
        assert!(of(-32_000, "invalid jump destination") && of(-32_603, "EVM error: InvalidFEOpcode"));
        for (code, message) in [
            (-32_000, "header not found"),
            (-32_005, "limit exceeded"),
            (-32_000, "missing trie node"),
            (429, "too many requests"),
            (-32_602, "invalid params"),
        ] {
            assert!(!of(code, message), "{message}");
        }
        assert!(!is_revert(&RpcError::Status { status: 3 }));
    }
}
