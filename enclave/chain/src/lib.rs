//! The client of chains, without a socket of its own.
//!
//! ```text
//! Question --Transport, one POST to each of n nodes--> answers, bounded --Quorum, k agree--> Block, events
//! Cursor --Follower: confirmations, parent hashes--> events in order, and the cursor behind them
//! fields --neo, evm--> transactions and their digests
//! ```
//!
//! - [`rpc`]: JSON-RPC 2.0 with a limit on every answer, and the agreement of k of n nodes. Which node an index stands for, and how
//!   it is reached, is the business of who implements [`rpc::Transport`].
//! - [`neo`]: Neo N3's blocks and answers; its formats are `r3e-neo`'s. [`evm`]: headers, logs and the ABI of Ethereum and of chains like it.
//! - [`follow`]: which block comes next, whether it continues the one before, and what is final enough to be acted upon.
//! - [`watch`]: the three together, for a contract's event on a network, as a person names them.
//!
//! It knows nothing of tenants, of triggers, of keys, of HTTP or TLS, and keeps no time.

#![forbid(unsafe_code)]

pub mod evm;
pub mod follow;
pub mod limits;
pub mod neo;
pub mod rpc;
pub mod watch;
