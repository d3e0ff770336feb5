//! `r3e functions`.

mod observations;
mod versions;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use r3e_client::project::{max_source_bytes, runtime_of, source_text};
use r3e_proto::api::functions::{Deploy, Function, Limits, Permissions};
use serde_json::json;

pub(crate) use self::versions::PromotionArguments;
use super::invoke::Invoke;
use super::local;
use crate::error::CliError;
use crate::output::{Printer, fields, printable, table, time};
use crate::profile::read_bytes_limited;
use crate::session;
use crate::settings::Settings;

/// The interface description, as this release has it.
const INTERFACE: &str = include_str!("../../../../../../enclave/runner-api/wit/functions.wit");

const INTERFACE_HELP: &str = "\
Example:
  mkdir -p wit && r3e functions interface > wit/functions.wit

In Rust, `wit_bindgen::generate!({ path: \"wit\", world: \"function\" })` makes bindings of it.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deploy a version of a function, and move `prod` to it
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
    /// Run a function's tests on this machine
    Test(local::Passed),
    /// Print what a function may ask the appliance for, as components import it (WIT)
    #[command(after_help = INTERFACE_HELP)]
    Interface,
    #[command(flatten)]
    Versions(versions::Command),
    #[command(flatten)]
    Observations(observations::Command),
    /// Invoke a function and verify the receipt
    Invoke(Invoke),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  r3e functions deploy price.js --name price --secret API_TOKEN --net api.example.com --timeout-ms 3000
  r3e functions deploy fee.wasm --name fee
  r3e functions deploy median.py --name median
  r3e functions deploy spread.cs --name spread

The file's ending says what it is: .js, .mjs, .ts, .mts, .wasm, .py or .cs.")]
pub(crate) struct DeployArguments {
    /// The source: an ECMAScript module whose default export is a function, TypeScript, WebAssembly, Python or C#
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
    /// A topic that it may publish events of; repeat for several
    #[arg(long = "publish", value_name = "TOPIC")]
    publish: Vec<String>,
    /// A secret that it may set; repeat for several
    #[arg(long = "set-secret", value_name = "NAME")]
    set_secrets: Vec<String>,
    /// It may make triggers that invoke it
    #[arg(long)]
    triggers: bool,
    /// A network that it may use, such as eip155:1; repeat for several
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// A wallet that may sign for it, where the wallet's policy names the version; repeat for several
    #[arg(long = "wallet", value_name = "NAME")]
    wallets: Vec<String>,
    /// Wall time of one invocation
    #[arg(long, value_name = "N")]
    timeout_ms: Option<u32>,
    /// CPU time of one invocation
    #[arg(long, value_name = "N")]
    cpu_ms: Option<u32>,
    /// The engine's heap
    #[arg(long, value_name = "N")]
    memory_mib: Option<u32>,
    /// Invocations at once; more wait
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    #[command(flatten)]
    promotion: PromotionArguments,
}

impl DeployArguments {
    fn read(self) -> Result<(String, Deploy), CliError> {
        let unreadable = |source| CliError::Io { what: self.file.display().to_string(), source };
        let runtime = runtime_of(&self.file);
        let bytes = read_bytes_limited(&self.file, max_source_bytes(runtime) as u64).map_err(unreadable)?;
        let source = source_text(runtime, bytes)
            .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        let defaults = Limits::default();
        let deploy = Deploy {
            permissions: Permissions {
                secrets: self.secrets,
                net: self.net,
                publish: self.publish,
                set_secrets: self.set_secrets,
                triggers: self.triggers,
                networks: self.networks,
                wallets: self.wallets,
            },
            limits: Limits {
                timeout_ms: self.timeout_ms.unwrap_or(defaults.timeout_ms),
                cpu_ms: self.cpu_ms.unwrap_or(defaults.cpu_ms),
                memory_mib: self.memory_mib.unwrap_or(defaults.memory_mib),
                concurrency: self.concurrency.unwrap_or(defaults.concurrency),
                ..defaults
            },
            runtime,
            ..Deploy::javascript(source)
        };
        Ok((self.name, deploy))
    }
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Deploy(arguments) => {
            let promotion = arguments.promotion.clone();
            let (name, deploy) = arguments.read()?;
            let mut tenant = session::tenant(settings).await?;
            let promotion = promotion.settled(&mut tenant, &name).await?;
            let function = tenant.deploy_as(&name, &deploy, &promotion).await?;
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
        Command::Test(arguments) => local::run("test", arguments, printer),
        Command::Interface => {
            printer.result(&json!({ "wit": INTERFACE }), |_| INTERFACE.trim_end().to_owned())
        }
        Command::Versions(command) => versions::run(command, settings, printer).await,
        Command::Observations(command) => observations::run(command, settings, printer).await,
        Command::Invoke(invoke) => invoke.run(settings, printer).await,
    }
}

pub(crate) fn human(function: &Function) -> String {
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let Limits { timeout_ms, cpu_ms, memory_mib, output_bytes, host_calls, concurrency } = function.limits;
    fields(&[
        ("name", function.name.clone()),
        ("version", function.version.clone()),
        ("deployed", time(function.deployed_at_ms)),
        ("source", format!("{} bytes of {}", function.source_bytes, function.runtime.name())),
        ("modules", modules(function)),
        ("secrets", list(&function.permissions.secrets)),
        ("net", list(&function.permissions.net)),
        ("publishes", list(&function.permissions.publish)),
        ("sets secrets", list(&function.permissions.set_secrets)),
        ("makes triggers", if function.permissions.triggers { "of its own" } else { "none" }.to_owned()),
        ("networks", list(&function.permissions.networks)),
        ("wallets", list(&function.permissions.wallets)),
        ("time", format!("{timeout_ms} ms, {cpu_ms} ms of CPU")),
        ("memory", format!("{memory_mib} MiB")),
        ("output", format!("{output_bytes} bytes")),
        ("host calls", host_calls.to_string()),
        ("at once", concurrency.to_string()),
        ("process", if function.instance.reuse { "used again" } else { "one for each event" }.to_owned()),
    ])
}

fn modules(function: &Function) -> String {
    match &function.entry {
        Some(entry) => format!("{}, entry {}", function.modules.len(), printable(entry)),
        None => "one".to_owned(),
    }
}
