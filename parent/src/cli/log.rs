//! Where the log goes and in which form.

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
    /// Logs from here on.
    pub(super) fn begin(&self) {
        let log = tracing_subscriber::fmt().with_env_filter(self.log.clone()).with_writer(std::io::stderr);
        match self.log_format {
            LogFormat::Text => log.with_target(false).init(),
            LogFormat::Json => log.json().flatten_event(true).init(),
        }
    }
}
