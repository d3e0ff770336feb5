//! What a run measures, and for how long.

use std::path::PathBuf;
use std::time::Duration;

/// Clients at a time: one, and more than there are cores.
pub(crate) const CLIENTS: [usize; 2] = [1, 16];

/// One process a function is too much for a thousand: so many are measured, and the share of each is told.
pub(crate) const PROCESSES: usize = 20;

/// From a runtime's start to its first answer, on a machine that does much else.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a runtime that starts is tried.
pub(crate) const POLL: Duration = Duration::from_millis(1);

/// For what is done after an answer to be done, before memory is read.
pub(crate) const REST: Duration = Duration::from_secs(2);

/// The event that every runtime is given, and its answer.
pub(crate) const EVENT: &str = r#"{"a":1,"b":2}"#;
/// What the function makes of it.
pub(crate) const ANSWER: &str = r#"{"sum":3}"#;
/// The function, as the appliance takes it; the other runtimes' is `peers/handler.mjs`.
pub(crate) const FUNCTION: &str = "export default (event) => ({ sum: event.a + event.b });";

/// Functions of the appliance beside workerd, deno and node.
#[derive(Debug, clap::Parser)]
#[command(
    after_help = "Example:\n  tests/bench/functions/run --seconds 10\n  tests/bench/functions/run --functions 100 --starts 5"
)]
pub(crate) struct Settings {
    /// Seconds for each load
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Functions that nobody calls, each loaded
    #[arg(long, default_value_t = 1_000)]
    pub(crate) functions: usize,
    /// First answers to take the median of
    #[arg(long, default_value_t = 15)]
    pub(crate) starts: usize,
    /// Folder with the other runtimes, `node_modules` in it
    #[arg(long)]
    pub(crate) peers: PathBuf,
}

impl Settings {
    /// For each load.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
