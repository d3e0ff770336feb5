//! The handoff: a running appliance gives its root secret to its successor, and stops writing, so that an image is upgraded
//! while it serves. The parent between the two carries bytes, and is trusted with none of it.
//!
//! ```text
//! successor                              parent                         predecessor
//!   "predecessor?" ---------------------->
//!   <------- manifest, and a pipe to the predecessor's channel
//!   attested TLS: appraises the predecessor ----------------------------->
//!   POST /v1/handoff: manifest, own document bound to the session ------->  every rule; then the store is frozen
//!   <--------------------------------------- root secret, the head that the state stands at
//!   opens that state and no other: its first commit follows that head
//!   "serving" -----------------------------> leads clients to it
//!   POST /v1/handoff/done ----------------------------------------------->  superseded for good
//! ```
//!
//! - `rules`: who may hand over to whom. No I/O, one refusal a rule.
//! - `measured`: what the two measured, from the device and from documents.
//! - `predecessor`: freezes, grants, waits, and gives way or goes on.
//! - `refusals`: what is logged of those who break a rule.
//! - `successor`: asks, and takes over.
//! - `lifecycle`: what is said to the parent.
//! - `adoption`: has the unlock provider learn a root secret that it did not release.
//!
//! Whichever of the two commits first after the grant is the appliance: both commits are to follow one head, and the
//! store takes one of them. The other finds that out and gives way.

mod adoption;
pub(crate) mod lifecycle;
mod measured;
mod predecessor;
mod refusals;
mod rules;
mod successor;

pub(crate) use adoption::Adoption;
pub(crate) use measured::Own;
pub(crate) use predecessor::{Handover, HandoverError, HandoverParts, Standing};
pub use successor::SuccessionError;
pub(crate) use successor::{Inherited, Predecessor, SuccessorParts, succession};
