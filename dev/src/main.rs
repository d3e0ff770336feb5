//! `r3e-dev`: a function on its author's machine. It is compiled by the appliance's compiler, runs in the appliance's runner
//! under the same permissions and limits, and keeps its values in the same store, over a parent in this process. What is not
//! here is the enclave: there is no attestation, no receipt, and no key that is worth anything.

#![forbid(unsafe_code)]

mod cases;
mod cli;
mod error;
mod given;
mod limits;
mod serving;
mod testing;
mod workshop;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::error::DevError;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Run(run) => serving::run(run).await.map(|()| ExitCode::SUCCESS),
        Command::Invoke(invoke) => serving::invoke(invoke).await,
        Command::Test(test) => testing::run(test).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {}", with_causes(&error));
        ExitCode::from(error.exit_code())
    })
}

fn with_causes(error: &DevError) -> String {
    let (mut text, mut cause) = (error.to_string(), std::error::Error::source(error));
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
