//! Neo N3: its blocks, and its nodes' answers. What a transaction is made of is `r3e_neo`'s.
//!
//! ```text
//! getblock, bytes --> Block: header's hash, Merkle root --> transactions --getapplicationlog--> Notification
//! ```

mod application_log;
mod block;
mod calls;
mod item;
mod source;

pub use application_log::{Execution, Notification, read_application_log};
pub use block::{Block, Header, read_block};
pub use calls::{Asked, NeoCalls, Pace, Place, Ran, Trial};
pub use item::{Item, ItemError};
pub use source::{BlockEvent, NeoBlocks, NeoEvents, NeoSource};
