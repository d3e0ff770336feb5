//! `r3e functions`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use r3e_proto::api::functions::{Deploy, Function, Limits, LogEntry, LogLine, Permissions, Runtime};
use serde_json::json;

use super::invoke::Invoke;
use crate::error::CliError;
use crate::limits::MAX_SOURCE_BYTES;
use crate::output::{Printer, fields, printable, table, time};
use crate::profile::read_limited;
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deploy a function, in place of its version before
    Deploy(DeployArguments),
    /// List the functions
    List,
    /// Show one function
    Show {
        /// The function's name
        name: String,
    },
    /// Delete a function
    Delete {
        /// The function's name
        name: String,
    },
    /// Show the logs of a function's latest invocations
    Logs {
        /// The function's name
        name: String,
    },
    /// Invoke a function and verify the receipt
    Invoke(Invoke),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  r3e functions deploy price.js --name price --secret API_TOKEN --net api.example.com --timeout-ms 3000")]
pub(crate) struct DeployArguments {
    /// The source: an ECMAScript module whose default export is a function
    file: PathBuf,
    /// The function's name
    #[arg(long)]
    name: String,
    /// A secret that it may read; repeat for several
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,
    /// A host that it may fetch from, HOST (port 443) or HOST:PORT; repeat for several
    #[arg(long = "net", value_name = "HOST")]
    net: Vec<String>,
    /// Wall time of one invocation
    #[arg(long, value_name = "N")]
    timeout_ms: Option<u32>,
    /// CPU time of one invocation
    #[arg(long, value_name = "N")]
    cpu_ms: Option<u32>,
    /// The engine's heap
    #[arg(long, value_name = "N")]
    memory_mib: Option<u32>,
}

impl DeployArguments {
    fn read(self) -> Result<(String, Deploy), CliError> {
        let source = read_limited(&self.file, MAX_SOURCE_BYTES)
            .map_err(|source| CliError::Io { what: self.file.display().to_string(), source })?;
        let defaults = Limits::default();
        let deploy = Deploy {
            runtime: Runtime::Javascript,
            source,
            permissions: Permissions { secrets: self.secrets, net: self.net },
            limits: Limits {
                timeout_ms: self.timeout_ms.unwrap_or(defaults.timeout_ms),
                cpu_ms: self.cpu_ms.unwrap_or(defaults.cpu_ms),
                memory_mib: self.memory_mib.unwrap_or(defaults.memory_mib),
                ..defaults
            },
        };
        Ok((self.name, deploy))
    }
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Deploy(arguments) => {
            let (name, deploy) = arguments.read()?;
            let mut tenant = session::tenant(settings).await?;
            let function = tenant.deploy(&name, &deploy).await?;
            printer
                .result(&function, |function| format!("deployed {}\n\n{}", function.name, human(function)))?;
            session::remembered(tenant.check_state().await)
        }
        Command::List => {
            let functions = session::tenant(settings).await?.functions().await?;
            printer.result(&functions, |functions| {
                let rows: Vec<[String; 4]> = functions
                    .iter()
                    .map(|f| {
                        let version = f.version.get(..16).unwrap_or(&f.version).to_owned();
                        [f.name.clone(), version, f.source_bytes.to_string(), time(f.deployed_at_ms)]
                    })
                    .collect();
                table(["NAME", "VERSION", "BYTES", "DEPLOYED"], &rows)
            })
        }
        Command::Show { name } => {
            let function = session::tenant(settings).await?.function(&name).await?;
            printer.result(&function, human)
        }
        Command::Delete { name } => {
            let mut tenant = session::tenant(settings).await?;
            tenant.delete_function(&name).await?;
            printer.result(&json!({ "deleted": name }), |_| format!("deleted {name}"))?;
            session::remembered(tenant.check_state().await)
        }
        Command::Logs { name } => {
            let logs = session::tenant(settings).await?.logs(&name).await?;
            printer.result(&logs, |logs| human_logs(logs))
        }
        Command::Invoke(invoke) => invoke.run(settings, printer).await,
    }
}

fn human(function: &Function) -> String {
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let Limits { timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls } = function.limits;
    fields(&[
        ("name", function.name.clone()),
        ("version", function.version.clone()),
        ("deployed", time(function.deployed_at_ms)),
        ("source", format!("{} bytes of JavaScript", function.source_bytes)),
        ("secrets", list(&function.permissions.secrets)),
        ("net", list(&function.permissions.net)),
        ("time", format!("{timeout_ms} ms, {cpu_ms} ms of CPU")),
        ("memory", format!("{memory_mib} MiB")),
        ("output", format!("{output_bytes} bytes")),
        ("host calls", host_calls.to_string()),
    ])
}

fn human_logs(logs: &[LogEntry]) -> String {
    let line = |line: &LogLine| format!("    {:<5} {}\n", printable(&line.level), printable(&line.text));
    let entry = |entry: &LogEntry| {
        let lines: String = entry.lines.iter().map(line).collect();
        let (invocation, outcome) = (printable(&entry.invocation), printable(&entry.outcome));
        format!("{} {invocation} {outcome}\n{lines}", time(entry.at_ms))
    };
    logs.iter().map(entry).collect()
}
