//! Questions to nodes by JSON-RPC 2.0, and what is made of their answers.
//!
//! A node may lie, err, lag, or say nothing: what one says is never enough. [`Quorum`] believes what k of n say alike.

mod answer;
pub mod fields;
mod json;
mod quorum;
mod transport;

pub use answer::{Question, RpcError, read_answer};
pub use fields::AnswerError;
pub use json::{JsonError, JsonLimits, Skip, read_json};
pub use quorum::{Answer, Quorum, QuorumError, Said, Statement};
pub use transport::{Post, Posted, Transport, TransportError};
