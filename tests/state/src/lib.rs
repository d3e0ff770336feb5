//! The sealed store over a real parent, which keeps its records by the embedded engine on a disk: the harness of the
//! tests in `tests/`.
//!
//! - [`parent`]: the parent, started and stopped in this process.
//! - [`between`]: the way between store and parent, which loses answers and is cut on demand.
//! - [`disk`]: what the parent keeps, read and rewritten as its owner can.
//! - [`tamper`]: what that owner may do, and by which name the store must find it.
//! - [`world`]: a store over all of these, with its checks.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test, and says where")]

pub mod between;
pub mod disk;
pub mod parent;
pub mod tamper;
mod together;
pub mod world;
