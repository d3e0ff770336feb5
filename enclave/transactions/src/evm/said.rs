//! What nodes answer to a transaction. JSON-RPC has no codes for it: they say it in words, each kind of node in its own.
//!
//! Sources: geth `core/txpool/errors.go`, `core/error.go`, `core/txpool/validation.go`; Nethermind `AcceptTxResult`; Besu
//! `TransactionInvalidReason` and `JsonRpcError`; Erigon `txpoolcfg`; reth and anvil `InvalidTransaction`, `PoolError`. Anvil's are tested against
//! the node itself; words that are not here are no reason to give anything up.

/// Why a node does not take a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has it already: as good as taken.
    Known,
    /// Its nonce is in the chain already, by this transaction or another.
    NonceTooLow,
    /// Ones before it are missing there.
    NonceTooHigh,
    /// Not enough more than what it would replace, or than what the node asks for at the least.
    Underpriced,
    /// The account cannot pay for it.
    Funds,
    /// The node is full.
    Full,
    /// No node would ever take it.
    Invalid,
    /// Something else.
    Other,
}

/// In the order in which they are looked for: "replacement transaction underpriced" is not "underpriced" by chance, but
/// "known transaction" is within "unknown transaction type".
const WORDS: [(&str, Refusal); 45] = [
    ("unknown transaction type", Refusal::Invalid),
    ("transaction type not supported", Refusal::Invalid),
    ("already known", Refusal::Known),
    ("alreadyknown", Refusal::Known),
    ("already imported", Refusal::Known),
    ("known transaction", Refusal::Known),
    ("nonce too low", Refusal::NonceTooLow),
    ("nonce is too low", Refusal::NonceTooLow),
    ("oldnonce", Refusal::NonceTooLow),
    ("nonce too high", Refusal::NonceTooHigh),
    ("nonce is too high", Refusal::NonceTooHigh),
    ("too far in the future", Refusal::NonceTooHigh),
    ("too distant", Refusal::NonceTooHigh),
    ("noncegap", Refusal::NonceTooHigh),
    ("noncetoofarinfuture", Refusal::NonceTooHigh),
    ("nonce gap", Refusal::NonceTooHigh),
    ("in-flight transaction limit", Refusal::Full),
    ("underpriced", Refusal::Underpriced),
    ("replacementnotallowed", Refusal::Underpriced),
    ("replacement not allowed", Refusal::Underpriced),
    ("feetoolow", Refusal::Underpriced),
    ("fee too low", Refusal::Underpriced),
    ("gas price too low", Refusal::Underpriced),
    ("gas price below", Refusal::Underpriced),
    ("tip cap below", Refusal::Underpriced),
    ("below the minimum", Refusal::Underpriced),
    ("less than block base fee", Refusal::Underpriced),
    ("insufficient funds", Refusal::Funds),
    ("insufficientfunds", Refusal::Funds),
    ("exceeds account balance", Refusal::Funds),
    ("exceeds transaction sender account balance", Refusal::Funds),
    ("pool is full", Refusal::Full),
    ("txpool is full", Refusal::Full),
    ("exceeds block gas limit", Refusal::Invalid),
    ("exceeds the limit allowed for the block", Refusal::Invalid),
    ("gaslimitexceeded", Refusal::Invalid),
    ("intrinsic gas", Refusal::Invalid),
    ("transaction gas limit too high", Refusal::Invalid),
    ("gas floor", Refusal::Invalid),
    ("oversized data", Refusal::Invalid),
    ("max initcode size exceeded", Refusal::Invalid),
    ("exceeds the configured cap", Refusal::Other),
    ("invalid sender", Refusal::Invalid),
    ("sender not an eoa", Refusal::Invalid),
    ("invalid chain id", Refusal::Invalid),
];

/// What a node's words mean.
pub fn refusal(message: &str) -> Refusal {
    let message = message.to_ascii_lowercase();
    let said = WORDS.iter().find(|(words, _)| message.contains(words));
    said.map_or(Refusal::Other, |(_, refusal)| *refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_nodes() {
        for (message, expected) in [
            ("already known", Refusal::Known),
            ("AlreadyKnown", Refusal::Known),
            ("transaction already imported", Refusal::Known),
            ("Known transaction", Refusal::Known),
            ("nonce too low: next nonce 5, tx nonce 4", Refusal::NonceTooLow),
            ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Refusal::NonceTooLow),
            ("nonce too high", Refusal::NonceTooHigh),
            ("NonceGap, Future nonce. Expected nonce: 5", Refusal::NonceTooHigh),
            ("Transaction nonce is too distant from current sender nonce", Refusal::NonceTooHigh),
            ("nonce too far in the future", Refusal::NonceTooHigh),
            ("in-flight transaction limit reached for delegated accounts", Refusal::Full),
            ("replacement transaction underpriced", Refusal::Underpriced),
            ("transaction underpriced: gas tip cap 1, minimum needed 2", Refusal::Underpriced),
            ("FeeTooLowToCompete", Refusal::Underpriced),
            ("ReplacementNotAllowed", Refusal::Underpriced),
            ("Gas price below configured minimum gas price", Refusal::Underpriced),
            ("max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1", Refusal::Underpriced),
            ("insufficient funds for gas * price + value: balance 0", Refusal::Funds),
            ("InsufficientFunds, Account balance: 0", Refusal::Funds),
            ("Upfront cost exceeds account balance", Refusal::Funds),
            ("txpool is full", Refusal::Full),
            ("exceeds block gas limit", Refusal::Invalid),
            ("intrinsic gas too low: gas 0, minimum needed 21000", Refusal::Invalid),
            ("Intrinsic gas exceeds gas limit", Refusal::Invalid),
            ("unknown transaction type", Refusal::Invalid),
            ("max initcode size exceeded: code size 50000", Refusal::Invalid),
            ("internal error", Refusal::Other),
        ] {
            assert_eq!(refusal(message), expected, "{message}");
        }
    }

    #[test]
    fn each_row_can_be_met() {
        for (words, expected) in WORDS {
            assert_eq!(refusal(words), expected, "{words} is hidden by a row before it");
        }
    }
}
