//! Triggers: schedules, public routes, events, chains and prices that queue a tenant's functions as jobs.
//!
//! ```text
//! cron    tick of the appliance's clock ---+
//! http    request, its signature checked --+--> filter --> transform --> Jobs::enqueue_with --one commit--> job + trigger's state
//! event   published by the tenant ---------+
//! chain   a contract's event, or a block --+
//! price   a feed's report beyond a bound --+
//! ```
//!
//! - `schedule`: ticks. `signature`: who may use a public route. `expression`: filters and transforms, bounded.
//! - `record`, `spaces`: what is kept, and where. `board`: all triggers in memory.
//! - `fire`: the one way to a job. The job and the trigger's state, which says which tick it was, are one commit, so that a tick
//!   has at most one job, whatever is killed when; or how far a chain was read, so that what is seen there has exactly one.
//! - `follow`: chains, read from where the last commit left off. `price`: feeds' reports, judged from where it left off.
//!
//! What becomes of a job is the business of `r3e-jobs`: retries, dead letters, replay. This crate knows nothing of HTTP's
//! connections, of who may ask, or of how a function is run.

#![forbid(unsafe_code)]

mod board;
mod cron;
mod definition;
mod entry;
mod error;
pub mod expression;
mod fire;
mod follow;
mod hook;
mod keeping;
pub mod limits;
mod outside;
mod pace;
mod price;
mod publish;
mod record;
pub mod schedule;
pub mod signature;
mod spaces;
mod triggers;

pub use error::TriggersError;
pub use hook::{Asked, Taken};
pub use outside::{Chains, News, NotRead, Outside, Place, Prices, Seen, Stretch};
pub use triggers::{Triggers, TriggersParts};
