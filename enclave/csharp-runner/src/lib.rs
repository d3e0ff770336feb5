//! Functions in C#: what compiles one, once, when it is deployed, and what runs it.
//!
//! ```text
//! r3e-csharp compile: sources -> an assembly          (a boxed process, asked once and thrown away)
//! r3e-csharp:         an assembly, then its events    (a boxed process, copied for each function and each event)
//! ```
//!
//! Both are Debian's mono, linked in, and the assemblies that stand in the program itself. The runtime has threads and cannot be
//! copied, so it is started in the process that handles an event, and nowhere else; what a function's process has loaded is bytes.
//! A function compiles and runs machine code of its own choice: the box around the process is the limit, and the only one.
//!
//! This crate knows nothing of tenants, permissions, keys, networks or files.

pub mod answers;
mod assemblies;
pub mod compile;
mod desk;
mod engine;
mod icalls;
mod limits;
mod mono;
mod native;
mod runtime;

pub use assemblies::Assemblies;
pub use engine::CSharp;
