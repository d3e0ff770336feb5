//! Boots enclave images in QEMU's `nitro-enclave` machine: a real kernel, a real security module on virtio, a real vsock,
//! all of it emulated in software, so that it runs where there is no Nitro and no KVM.
//!
//! | module | what |
//! |---|---|
//! | [`machine`] | one machine: its two processes, its sockets, its console |
//! | [`tools`] | where the programs are that `tests/qemu/setup` builds |
//! | [`authority`] | the root that the machine's security module signs under, made anew for each folder |
//! | [`heartbeat`] | the parent's answer to a starting enclave, right or wrong |
//! | [`place`] | a machine as the enclave of an end-to-end test |
//! | [`image`] | the image under test |
//!
//! To the parent a machine is like the enclave processes of other tests: a unix socket that speaks the hybrid-vsock
//! convention, `unix:PATH` on the parent's command line.
//!
//! A machine here promises less than a Nitro enclave: whoever runs it reads its memory. What it has in common with one is
//! what the tests need: the image's bytes, the kernel, the measurements, the device.

#![forbid(unsafe_code)]

pub mod authority;
mod error;
pub mod heartbeat;
pub mod image;
pub mod limits;
pub mod machine;
pub mod place;
pub mod tools;

pub use authority::TestAuthority;
pub use error::MachineError;
pub use heartbeat::{Heartbeat, Manner};
pub use image::Image;
pub use machine::{Machine, MachineConfig};
pub use place::{MachinePlace, options};
pub use tools::Tools;
