//! The parent: the untrusted half, on the EC2 host.
//!
//! It moves the bytes of clients' TLS to the enclave and back (`forwarder`), keeps the enclave's sealed records
//! (`blobs`), connects to the outside for it (`egress`), hands it its configuration (`configuration`) and answers
//! its heartbeat (`heartbeat`). [`launch`] starts the enclave too and keeps it running, after [`preflight`] has looked
//! at the machine; [`finding`] is how both say what is wrong. [`upgrade`] goes from one enclave to its successor. [`backup`]
//! makes one file of all records, and back.
//!
//! It parses nothing of a client's, holds no key, and knows nothing of attestation, tenants or functions: all it sees
//! is addresses, sizes and times. It protects itself, its host and the enclave's availability; confidentiality and
//! integrity are the enclave's business, and nothing here is relied on for them.

#![forbid(unsafe_code)]

mod admin;
pub mod backup;
mod blobs;
mod configuration;
mod counters;
mod credentials;
mod descriptors;
mod disk;
mod egress;
mod error;
pub mod finding;
mod forwarder;
mod health;
mod heartbeat;
pub mod launch;
pub mod limits;
pub mod orders;
mod parent;
mod ports;
pub mod preflight;
mod programs;
mod relay;
mod service;
pub mod settings;
pub mod upgrade;

pub use admin::{ADMIN_SOCKET, StatusError, StatusFormat, order_takeover, order_upgrade, query_status};
pub use blobs::postgres::{AddressError, PostgresAddress, PostgresError, PostgresSettings};
pub use blobs::{JournalError, StoreOpenError};
pub use credentials::{ImdsEndpoint, ImdsEndpointError};
pub use egress::{HostRule, Network, Resolve, RuleError};
pub use error::ParentError;
pub use finding::{Finding, Severity};
pub use launch::{Appliance, Host, Launch, Restart, RunningAppliance};
pub use parent::{Parent, RunningParent};
pub use settings::{Settings, StoreSettings};
