//! What an engine is to the box: something that loads one function and handles its events, one at a time, without ever
//! waiting by itself.

use std::time::Instant;

use r3e_runner_api::{Fault, FunctionLimits, HostReply};

use crate::link::Sender;

/// How far an event, or a function's load, has come.
#[derive(Debug)]
pub enum Progress<T> {
    /// It ended.
    Settled(Result<T, Fault>),
    /// It waits for a message, or for a timer due at this time.
    Waiting(Option<Instant>),
}

/// What an engine needs of the box beyond what every engine does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Address space that it reserves without ever writing to it, in bytes: what may be written is bounded apart from it.
    pub reserved_bytes: u64,
    /// Whether what it loads is machine code. Then the process that loads a function may turn memory that it can no longer write
    /// to into code; one that handles events may not.
    pub loads_code: bool,
    /// Whether it is a runtime that turns code into machine code as it runs, in threads of its own. Then a process that handles events
    /// may write code and run it, and have threads; the other walls are those of every engine.
    pub makes_code: bool,
}

/// Runs one function. Time limits are not its matter: a function that never ends is ended with the process.
pub trait Engine: Sized {
    /// Why there is no engine.
    type Error: std::error::Error + 'static;
    /// A function that is being loaded.
    type Loading;
    /// What it needs of the box.
    const DEMANDS: Demands = Demands { reserved_bytes: 0, loads_code: false, makes_code: false };

    /// Takes what it needs from files, once what was inherited is checked and before the box, in which there are none. It keeps that
    /// where [`Self::start`] finds it.
    ///
    /// # Errors
    /// What is missing; the process then ends.
    fn gather() -> Result<(), Self::Error> {
        Ok(())
    }

    /// Starts the engine, in the box but before the filter closes. No tenant's code runs here.
    ///
    /// # Errors
    /// What is missing; the process then ends.
    fn start(sender: Sender) -> Result<Self, Self::Error>;

    /// Forgets all randomness that was drawn ahead: this process is a copy, and what it holds of that, others hold too.
    fn reseed(&mut self);

    /// Loads a function of our own and handles an event with it, and forgets both: in a copy that waits for a tenant's function. What
    /// the copy shares with its original and will write to it has then taken for itself, and whoever brings the function need not
    /// wait for that.
    fn rehearse(&mut self) {}

    /// Starts what no copy can inherit, such as threads: in a process that handles events, behind its last wall, once.
    fn prepare(&mut self) {}

    /// Sets what the function may use, before any of it is seen. `heap_bytes` is its memory limit, in bytes.
    fn limit(&mut self, heap_bytes: u64, limits: FunctionLimits);

    /// Compiles the function and starts to run what it runs when it is loaded.
    ///
    /// # Errors
    /// The outcome already.
    fn begin_load(&mut self, source: String) -> Result<Self::Loading, Fault>;

    /// Loads as far as possible.
    fn progress_load(&mut self, loading: &mut Self::Loading) -> Progress<()>;

    /// Starts an event, JSON text.
    ///
    /// # Errors
    /// An outcome already.
    fn begin(&mut self, event: String) -> Result<(), Fault>;

    /// Runs the event as far as possible. Its output is JSON text.
    fn progress(&mut self) -> Progress<String>;

    /// Hands over the answer of a host call.
    fn deliver(&mut self, call_id: u32, reply: HostReply);

    /// Whether the engine has come to an end of its own, such as an exhausted heap, and can run nothing any more.
    fn is_spent(&mut self) -> bool;
}
