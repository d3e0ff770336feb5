//! Ethereum, and chains like it: headers, logs, calls, and the ABI of events and methods.
//!
//! ```text
//! eth_getBlockByNumber --fields, RLP, Keccak--> Header, whose hash was computed here --bloom--> eth_getLogs of that hash --> Log
//! "Transfer(address indexed from, …)" --> Event: topic 0 --Log--> named values
//! "balanceOf(address) returns (uint256)" --> Method --data--> eth_call --k of n--> values
//! eth_getTransactionCount, eth_getTransactionReceipt, each of one block --k of n--> what became of an account's transactions
//! ```
//!
//! Transactions of type 2 (EIP-1559) are those of wallets: [`r3e_proto::wallet`] writes and hashes them.

pub mod abi;
mod accounts;
mod bloom;
mod calls;
mod header;
mod log;
mod quantity;
mod source;

pub use accounts::{AccountView, EvmAccounts, TransactionReceipt, read_receipt};
pub use bloom::Bloom;
pub use calls::{Called, EvmCalls};
pub use header::{Header, read_block};
pub use log::{Log, LogFilter, read_logs};
pub use quantity::Quantity;
pub use r3e_proto::api::wallets::{
    EvmAddress, EvmTransaction, Fee, Hash32, HexBytes, KeyType, Payload, Wei, keccak256,
};
pub use r3e_proto::wallet::{digest, signed_transaction, transaction_hash};
pub use source::{EvmBlocks, EvmSource};
