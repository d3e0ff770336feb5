//! KMS and the metadata service as one program, for local runs: one key, one role.
//!
//! Writes `ca.pem`, `key-arn`, `imds-endpoint` and, last of all, `address` into its folder; keeps its key there. The key's
//! policy is the example of `docs/unlock.md` for the image whose reference values it is given. Ends with SIGTERM or SIGINT.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use r3e_kms_emulator::{Accounts, Emulator, Imds, NitroRoot, Options as EmulatorOptions, example_policy};
use tokio::signal::unix::{SignalKind, signal};

const REGION: &str = "eu-central-1";
const ROLE: &str = "arn:aws:iam::111122223333:role/r3e-parent";

/// An emulated AWS KMS and metadata service for local runs. It protects nothing.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The host name in its certificate
    #[arg(long, default_value = "kms.eu-central-1.amazonaws.com")]
    host: String,
    /// Where KMS listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the metadata service listens
    #[arg(long, default_value = "127.0.0.1:0")]
    imds_listen: SocketAddr,
    /// The root of attestation documents, PEM
    #[arg(long, value_name = "FILE")]
    nitro_root: PathBuf,
    /// The reference values of the image that the key's policy accepts
    #[arg(long, value_name = "FILE")]
    reference_values: PathBuf,
    /// What the appliance calls itself
    #[arg(long)]
    appliance: String,
    /// Where its files are
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-kms: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> std::io::Result<()> {
    let Options { host, listen, imds_listen, nitro_root, reference_values, appliance, folder } = options;
    let nitro_root = NitroRoot::from_pem(&std::fs::read_to_string(nitro_root)?);
    let values: serde_json::Value = serde_json::from_slice(&std::fs::read(reference_values)?)?;
    let pcrs = [0, 1, 2].map(|index| {
        let value = values["releases"][0]["pcrs"][index.to_string()].as_str();
        (index, value.unwrap_or_default().to_owned())
    });
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let accounts = Accounts::default();
        let imds = Imds::start(imds_listen, accounts.clone(), ROLE).await;
        let emulator = Emulator::start(EmulatorOptions {
            host: host.clone(),
            listen,
            folder: folder.clone(),
            nitro_root,
            accounts,
        })
        .await;
        let policy = example_policy(ROLE, &appliance, &pcrs);
        let key = match emulator.key() {
            Some(key) => {
                emulator.set_policy(&key, policy);
                key
            }
            None => emulator.create_key(REGION, policy),
        };
        write_whole(&folder.join("key-arn"), &key)?;
        write_whole(&folder.join("imds-endpoint"), &imds.endpoint())?;
        write_whole(&folder.join("address"), &emulator.address().to_string())?;
        println!("{host} listens on {}, the metadata service on {}", emulator.address(), imds.endpoint());
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// Whoever waits for the file finds all of it or none.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let part = path.with_extension("part");
    std::fs::write(&part, text)?;
    std::fs::rename(part, path)
}
