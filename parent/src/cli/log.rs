//! Where the log goes and in which form.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

#[derive(Debug, Args)]
pub(super) struct Log {
    /// The form of the log, on the error stream
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "R3E_PARENT_LOG_FORMAT")]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or a filter by module
    #[arg(long, default_value = "info", env = "R3E_PARENT_LOG", value_name = "FILTER")]
    log: EnvFilter,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Log {
    /// Logs from here on; as JSON in any case where `json` says so.
    pub(super) fn begin(&self, json: bool) {
        let log = tracing_subscriber::fmt()
            .with_env_filter(self.log.clone())
            .with_writer(std::io::stderr)
            .with_ansi(colours());
        match if json { LogFormat::Json } else { self.log_format } {
            LogFormat::Text => log.with_target(false).init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
    }
}

/// A terminal alone gets colours, and not where `NO_COLOR` is set to anything (no-color.org).
fn colours() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
