//! `r3e-verify`: verifies Nitro attestation documents, R3E receipts, reports of price feeds, random numbers and signed data, offline.
//!
//! Each subcommand is one module with its arguments and its `run`; `policy_args` is what those that appraise
//! share, `input` reads evidence, `report` is what is printed. The tool opens no connection and writes no file.
#![forbid(unsafe_code)]

mod completions;
mod data;
mod document;
mod error;
mod feed_report;
mod input;
mod inspect;
mod limits;
mod oracle_keys;
mod outcome;
mod policy_args;
mod random;
mod receipt;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXIT_STATUS: &str = "\
Exit status:
  0  accepted (or shown, for inspect)
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verifies the attestation of Nitro Enclaves, and receipts, price reports, random numbers and data of R3E Enclave, offline.
#[derive(Debug, Parser)]
#[command(name = "r3e-verify", version, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Document(document::DocumentArgs),
    Receipt(receipt::ReceiptArgs),
    Report(feed_report::FeedReportArgs),
    Random(random::RandomArgs),
    Data(data::DataArgs),
    Inspect(inspect::InspectArgs),
    Completions(completions::CompletionsArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Document(args) => document::run(&args),
        Command::Receipt(args) => receipt::run(&args),
        Command::Report(args) => feed_report::run(&args),
        Command::Random(args) => random::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    outcome.print()
}
