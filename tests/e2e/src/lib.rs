//! The harness of the end-to-end tests: the product's own programs as processes, and the people around them.
//!
//! | module | who |
//! |---|---|
//! | [`appliance`] | a parent and an enclave in a folder of their own; killed, restarted, cleaned up by process id |
//! | [`enclave`] | the enclave alone, for a parent that the test plays; and what other kinds of enclave must be able to |
//! | [`main_job`] | a town of all of them, and the main job in it |
//! | [`languages`] | the examples in other languages than JavaScript, in the same town |
//! | [`command`] | the tools `r3e` and `r3e-verify`, as a user runs them |
//! | [`member`] | a member of an unlock quorum, over the protocol's text |
//! | [`cloud`] | AWS KMS and the metadata service around an appliance |
//! | [`succession`] | a successor beside an appliance, and the way to it |
//! | [`tenant`] | a tenant with its key, over the client library |
//! | [`venue`] | an HTTPS server for functions to fetch from, under a test CA |
//! | [`exchanges`] | seven exchanges in the shapes that they answer in, honest or not |
//! | [`front`] | HTTPS before a server of this machine that speaks plain HTTP, and a front that lies or is silent |
//! | [`hook`] | an HTTPS server that webhooks are told to |
//! | [`raw`] | a client that trusts anyone and says anything, inside and outside the attested channel |
//! | [`handoff`] | a release, who signs it, and two places where one appliance succeeds another |
//! | [`impostor`] | a server that speaks the channel's protocol with a key of its own |
//! | [`hostile_parent`] | a parent that lies |
//! | [`processes`] | the processor time that processes used |
//! | [`runners`] | the enclave's runner processes, as the operating system sees them |
//!
//! A helper panics where a test cannot go on. Nothing here is part of the product.

#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails, and says where")]

pub mod appliance;
pub mod cloud;
pub mod command;
pub mod enclave;
pub mod exchanges;
pub mod front;
pub mod handoff;
pub mod hook;
pub mod hostile_parent;
pub mod impostor;
pub mod languages;
pub mod main_job;
pub mod member;
pub mod ports;
pub mod process;
pub mod processes;
pub mod programs;
pub mod proofs;
pub mod raw;
pub mod rollback;
pub mod runners;
pub mod succession;
pub mod tenant;
pub mod tls;
pub mod venue;

pub use appliance::{Appliance, Options};
pub use enclave::{EnclavePlace, Place, Running, Trust};
pub use tenant::Tenant;
