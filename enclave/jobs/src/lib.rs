//! Jobs: invocations that are queued durably, run when there is room, retried by a policy, and end with exactly one
//! recorded outcome, whatever is killed when.
//!
//! ```text
//! NewJob -> Jobs::enqueue --one commit--> queued --begin, a commit--> running --end, a commit--> succeeded | dead
//!                                           ^                            |                         |
//!                                           +------- retry, a commit ----+                         v
//!                                  cancelled <- cancel, a commit                        webhook -> kept -> removed
//! ```
//!
//! - `record`: what a job is, and each step of its life as a pure function. Every step is written by compare-and-swap on the
//!   version of the step before, with the job's one entry of the `index`.
//! - `board`: what the index says, in memory: who waits, who is under way, how much each tenant has. `lanes`: whose turn it is.
//! - `attempts`, `webhooks`, `sweep`, `recovery`: what is done with jobs, each on a claim of the board, so that no two touch one
//!   job at once in one process; between processes, the versions see to it.
//! - `changes`: a commit that was neither confirmed nor refused is made again until it is either.
//!
//! An attempt may run more than once, or have run though it is not known to have: execution is at least once. Its outcome is
//! recorded exactly once.
//!
//! This crate knows nothing of HTTP, of who may ask, or of how a function is run: [`Invocations`] does that.

#![forbid(unsafe_code)]

mod attempts;
mod board;
mod changes;
mod courier;
mod dispatch;
mod enqueue;
mod error;
mod index;
mod jobs;
mod keys;
mod lanes;
pub mod limits;
mod outside;
mod policy;
mod record;
mod recovery;
mod spaces;
mod sweep;
mod tallies;
mod webhooks;

pub use courier::EgressCourier;
pub use enqueue::{NewJob, With};
pub use error::{Full, JobsError};
pub use jobs::{CountsOfOne, Jobs, JobsParts, Settings};
pub use outside::{BoxFuture, Courier, Invocations, NotInvoked, Run, Telling};
pub use policy::checked as checked_policy;
