//! The tests' price venue as a program, for local runs: HTTPS under a CA that it makes, for one host name.
//!
//! Writes `ca.pem` and, when it listens, `address` into its folder. Ends with SIGTERM or SIGINT.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use r3e_e2e::venue::Venue;
use tokio::signal::unix::{SignalKind, signal};

/// A price venue for local runs: serves GET /v1/ticker?pair=PAIR to whoever sends the API key.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The host name in its certificate
    #[arg(long)]
    host: String,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The file with the API key that it takes
    #[arg(long, value_name = "FILE")]
    api_key_file: PathBuf,
    /// Where `ca.pem` and `address` are written
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-venue: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::io::Result<()> {
    let api_key = std::fs::read_to_string(&options.api_key_file)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let venue = Venue::start(&options.host, api_key.trim_end(), options.listen).await;
        std::fs::write(options.folder.join("ca.pem"), venue.authority())?;
        write_whole(&options.folder.join("address"), &venue.address().to_string())?;
        println!("{} listens on {}", options.host, venue.address());
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
