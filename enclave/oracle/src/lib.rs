//! The core of the price oracle, without a socket, a clock or a key of its own.
//!
//! ```text
//! Definition --Venue--> URL … an answer's bytes --read--> Observation
//! Feed, Round of observations, State --aggregate--> Step: what to publish or why nothing, each source's fate, the next State
//! Publication --report--> r3e_proto::report: the digests that are signed
//! ```
//!
//! - [`decimal`], [`json`]: numbers as they were written, exactly.
//! - [`venue`]: where a venue answers, what it calls a market, and where in its answer price, volume and time stand, as data.
//! - [`feed`]: a pure function from a round's observations to an answer that fewer than half of the weight cannot move.
//!
//! It knows nothing of tenants, of connections, of who signs a report and which chain takes it, and keeps no time: whoever uses it
//! brings what the venues answered, and says when.

#![forbid(unsafe_code)]

pub mod decimal;
pub mod feed;
pub mod json;
pub mod limits;
pub mod venue;
