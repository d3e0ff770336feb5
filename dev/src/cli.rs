//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const AFTER_HELP: &str = "\
Nothing here is attested, and nobody signs a receipt: what a function keeps is gone when the command ends, and secrets come
from a file. `r3e deploy` sends the same folder to an appliance.

Exit codes: 0 done; 1 a test failed; 2 wrong usage, an unreadable file, or a function that does not load;
3 this machine cannot run functions; 4 the function failed.";

/// Runs and tests a function on this machine, in the appliance's own runner.
#[derive(Debug, Parser)]
#[command(name = "r3e-dev", version, after_help = AFTER_HELP, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the function over HTTP, and load it again whenever a file of it changes
    Run(Run),
    /// Give the function one event, and print what it returns
    Invoke(Invoke),
    /// Run the function's tests
    Test(Test),
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The function's folder, with its r3e.toml
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// The folder of the programs r3e-runner and r3e-bundler; without it, they are looked for beside this one
    #[arg(long, env = "R3E_PROGRAMS", value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
}

/// Where secrets come from.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// A file of lines NAME = "value"; without it, secrets.dev.toml in the function's folder, where there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) secrets: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  r3e-dev run
  r3e-dev run examples/basket --listen 127.0.0.1:9000
  curl -d '{\"a\":1,\"b\":2}' http://127.0.0.1:8788/")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// Where it listens: POST / takes an event and answers with the output
    #[arg(long, default_value = "127.0.0.1:8788", value_name = "ADDR:PORT")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  r3e-dev invoke --event '{\"a\":1,\"b\":2}'
  r3e-dev invoke examples/basket --event '{\"prices\":{\"NEO\":\"12.04\",\"GAS\":\"3.1\"}}' --json")]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) secrets: Secrets,
    /// The event, JSON
    #[arg(long, default_value = "null", value_name = "JSON", conflicts_with = "event_file")]
    pub(crate) event: String,
    /// A file with the event
    #[arg(long, value_name = "FILE")]
    pub(crate) event_file: Option<PathBuf>,
    /// Print one JSON object: outcome, logs and usage
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A test is a file tests/*.test.toml of the function's folder:

  [[case]]
  name = \"an alert when the price crosses the bound\"
  event = { pair = \"NEO-USD\", above = \"12.00\" }
  secrets = { VENUE_API_KEY = \"key\" }
  store = { \"NEO-USD\" = { side = \"under\", calls = 1 } }     # what the function kept before

  [[case.fetch]]                      # what a host answers; anything else it asks for is unreachable
  url = \"https://venue.example/v1/ticker?pair=NEO-USD\"
  json = { price = \"12.10\" }

  [case.expect]
  output = { pair = \"NEO-USD\", price = \"12.10\", above = \"12.00\", alert = \"crossed_up\", calls = 2 }

Examples:
  r3e-dev test
  r3e-dev test examples/basket --only alert --json")]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Only cases whose name has this text in it
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
