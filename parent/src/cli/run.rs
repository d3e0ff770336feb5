//! `r3e-parent run` and `r3e-parent check`: the parent with its enclave, and the look at the machine before it.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use r3e_parent::finding::{any_error, in_words};
use r3e_parent::launch::ApplianceError;
use r3e_parent::preflight::{self, Machine};
use r3e_parent::upgrade::in_force;
use r3e_parent::{Appliance, Launch, Settings};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use super::launch::{LaunchOptions, both};
use super::log::Log;
use super::settings::Options;
use super::{EXIT_FAILED, EXIT_USAGE, exit, print};

#[derive(Debug, Args)]
#[command(
    mut_arg("enclave", |enclave| enclave.hide(true)),
    after_help = "Examples:\n  \
    r3e-parent run --image r3e.eif --reference-values reference-values.json --listen 0.0.0.0:443 \\\n    \
    --data /var/lib/r3e --configuration /etc/r3e/enclave.toml --memory 2048\n  \
    r3e-parent run --settings /etc/r3e/parent.toml\n  \
    r3e-parent run --settings parent.toml --qemu auto     # no Nitro here: emulated, protects nothing\n\n\
    A settings file has the same names as the options; those of the enclave stand in a table:\n  \
    listen = \"0.0.0.0:443\"\n  \
    [run]\n  \
    image = \"/usr/share/r3e/r3e.eif\"\n  \
    memory = 2048"
)]
pub(super) struct Run {
    /// A file with settings in TOML
    #[arg(long, env = "R3E_PARENT_SETTINGS", value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    launch: LaunchOptions,
    #[command(flatten, next_help_heading = "The parent")]
    options: Options,
    /// Writes findings as one JSON object on standard output, and the log as JSON on standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: Log,
}

impl Run {
    /// Runs parent and enclave until a signal.
    pub(super) fn run(self) -> ExitCode {
        let (settings, launch) = match self.both() {
            Ok(both) => both,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        self.log.begin(self.json);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let json = self.json;
        exit(
            runtime.context("cannot start").and_then(|runtime| runtime.block_on(run(settings, launch, json))),
            EXIT_FAILED,
        )
    }

    /// Looks, prints what is found, and starts nothing.
    pub(super) fn check(self) -> ExitCode {
        let (settings, launch) = match self.both() {
            Ok(both) => both,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return exit(Err(error).context("cannot start"), EXIT_FAILED),
        };
        let (mut settings, mut launch) = (settings, launch);
        // As `run` would, and nothing is changed by it.
        let _ = in_force(&mut settings, &mut launch);
        let report = runtime.block_on(preflight::check(&settings, &launch, &Machine::this()));
        let ready = !any_error(&report.findings);
        let text = if self.json {
            format!("{:#}\n", json!({ "ready": ready, "findings": report.findings, "image": report.image }))
        } else {
            let mut image = String::new();
            if let Some(found) = &report.image {
                let release = found.release.as_deref().unwrap_or("not compared with a release");
                // Writing to a string does not fail.
                let _ = writeln!(image, "image: {} bytes, {release}", found.bytes);
                for (index, pcr) in &found.pcrs {
                    let _ = writeln!(image, "  PCR{index}  {pcr}");
                }
            }
            let verdict = if ready { "ready to start" } else { "NOT ready to start" };
            format!("{verdict}\n{}{}", image, in_words(&report.findings))
        };
        match print(text.as_bytes()) {
            Ok(()) if !ready => ExitCode::from(EXIT_FAILED),
            done => exit(done, EXIT_FAILED),
        }
    }

    fn both(&self) -> anyhow::Result<(Settings, Launch)> {
        let file = self.settings.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        both(&self.launch, &self.options, file)
    }
}

async fn run(settings: Settings, launch: Launch, json: bool) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut appliance = match Appliance::start(settings, launch, &Machine::this()).await {
        Ok(appliance) => appliance,
        Err(ApplianceError::Preflight(findings)) if json => {
            let text = format!("{:#}\n", json!({ "ready": false, "findings": findings }));
            print(text.as_bytes())?;
            return Err(ApplianceError::Preflight(findings).into());
        }
        Err(error) => return Err(error.into()),
    };
    let mut asked = async || tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () };
    tokio::select! {
        () = asked() => {}
        why = appliance.ended() => {
            appliance.shutdown().await;
            return Err(why.into());
        }
    }
    tokio::select! {
        () = appliance.drain() => {}
        () = asked() => warn!("asked again: clients are cut"),
    }
    appliance.shutdown().await;
    Ok(())
}
