//! Transactions of wallets, brought onto a chain: each at most once, whatever is killed when.
//!
//! ```text
//! submit --one commit--> waiting --Signer, the wallet's gate--> signed --one commit--> out --every node--> in a block --confirmations--> ended
//!                                    ^                                        |                    |
//!                                    +-- dearer, or nothing at all, in its place +                 +-- reorganised away: sent again
//! ```
//!
//! - `call`, `fees`: what is asked for, and what it may cost. `entry`: one transaction with all that was ever signed for it.
//! - `lane`: one account on one chain, as a state machine that asks nobody: nonces, replacements, what became of each.
//! - `said`: what nodes answer to a transaction, by their own words.
//! - `spaces`: where it lies in the store. `work`: what drives a lane. `transactions`: the public face.
//!
//! What is signed for one transaction has one nonce, all its life, and is written down before any node sees it; so the chain itself takes
//! at most one of it. A transaction whose nonce another one took is ended and never signed anew: whoever asked for it decides.
//!
//! This crate knows nothing of HTTP, of sockets or of keys; the time is what it is told.

#![forbid(unsafe_code)]

mod book;
mod error;
mod evm;
mod family;
pub mod limits;
mod neo;
mod outside;
mod spaces;
mod work;

pub use book::{TransactionsParts, is_transaction_id};
pub use error::TransactionsError;
pub use evm::{EvmChain, Receipt, Refusal, Rules, Submission, Transactions, View, refusal};
pub use neo::{
    Found, NeoChain, NeoNodes, NeoSubmission, NeoTransactions, NeoTurn, NotPriced, Pace, Ran, in_words,
    price, refused_by,
};
pub use outside::{Asker, BoxFuture, By, Chain, Chains, NotSigned, Sent, Signer};
