//! Feeds: rounds that ask venues at an interval, and reports that are durable before they are signed.
//!
//! ```text
//! tick --> Fetches (one for all who ask the same URL) --> r3e_oracle::feed::aggregate --> Publication
//!      --one commit: state with the next sequence, the report--> Kept --Signer--> SignedReport
//! ```
//!
//! - `definition`: what a tenant writes, and the whole definition that is made of it. `record`, `spaces`: what is kept, and where.
//! - `board`, `entry`: all feeds in memory. `ticks`: when each has its round. `fetches`: what is asked, bounded and shared.
//! - `round`: one round of one feed. `publish`: the one way to a [`Kept`] report, and from there to a signature.
//! - `totals`: what is counted of all of them.
//! - `keeping`: feeds as they are made, changed, deleted, and found again at a boot. `reading`, `stream`: their reports.
//!
//! A sequence is signed with one content alone, whatever is killed when: the commit names the version of the state that it was
//! computed from, and only a commit that stands, or what is read from the store, makes a [`Kept`]. A feed that is deleted leaves its
//! sequence behind.
//!
//! This crate knows nothing of HTTP, of sockets, of keys, or of who may ask; the time is what it is told.

#![forbid(unsafe_code)]

mod board;
mod definition;
mod entry;
mod error;
mod feeds;
mod fetches;
mod keeping;
pub mod limits;
mod outside;
mod publish;
mod reading;
mod record;
mod round;
mod shown;
mod spaces;
mod stream;
mod ticks;
mod totals;

pub use error::FeedsError;
pub use feeds::{Feeds, FeedsParts, Latest, Measures};
pub use outside::{BoxFuture, Signer, Tenants, Web};
pub use reading::Which;
pub use record::Kept;
pub use stream::Reports;
pub use totals::{DELAY_BOUNDS_US, Totals};
