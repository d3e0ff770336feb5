//! `r3e-parent serve`: the parent alone, until a signal. The enclave is started by someone else.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use r3e_parent::{Parent, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use super::log::Log;
use super::settings::Options;
use super::{EXIT_FAILED, EXIT_USAGE, exit};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    r3e-parent serve --listen 0.0.0.0:443 --enclave vsock:16 --data /var/lib/r3e --configuration /etc/r3e/enclave.toml\n  \
    r3e-parent serve --settings /etc/r3e/parent.toml\n\n\
    A settings file has the same names as the options, dashes and all; lists are lists:\n  \
    listen = \"0.0.0.0:443\"\n  \
    enclave = \"vsock:16\"\n  \
    egress-allow = [\"*:443\"]\n\n\
    The command line goes before the environment (R3E_PARENT_LISTEN, ...), and both before the file.")]
pub(super) struct Serve {
    /// A file with settings in TOML
    #[arg(long, env = "R3E_PARENT_SETTINGS", value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    log: Log,
}

impl Serve {
    /// Runs the parent until a signal.
    pub(super) fn run(self) -> ExitCode {
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        self.log.begin(false);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        exit(
            runtime.context("cannot start").and_then(|runtime| runtime.block_on(serve(settings))),
            EXIT_FAILED,
        )
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let file = self.settings.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        self.options.over(file)
    }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let parent = Parent::start(settings).await?;
    let mut asked = async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
    asked().await;
    tokio::select! {
        () = parent.shutdown() => {}
        () = asked() => warn!("asked again: ending at once"),
    }
    Ok(())
}
