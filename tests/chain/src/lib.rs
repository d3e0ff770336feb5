//! Real nodes for tests of the client of chains: anvil for Ethereum, `NeoGo` for Neo N3, each a process on ports of its own that
//! ends with the test. `tests/chain/setup` fetches them.
#![forbid(unsafe_code)]

mod account;
mod contract;
mod http;
mod neo;
mod node;
mod pinger;

pub use account::Account;
pub use contract::{Call, Contract, FeedContract, Sent, Word, of_address, word};
pub use http::HttpNodes;
pub use neo::{Invoked, NeoAccount, NeoFeed};
pub use node::{Anvil, NeoGo, nodes_folder};
pub use pinger::{PING, Pinger};
