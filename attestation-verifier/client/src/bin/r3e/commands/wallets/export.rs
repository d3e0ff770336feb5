//! Exports of wallets' keys.

use std::path::{Path, PathBuf};

use clap::Args;
use r3e_client::{ExportError, ExportKey, write_private_new};
use r3e_proto::api::wallets::{ExportRequest, Exported, Hash32};
use serde_json::json;
use zeroize::Zeroizing;

use super::approvals_in;
use super::input::json_file;
use crate::error::CliError;
use crate::output::Printer;
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The wallet's name
    name: String,
    /// The X25519 public key to encrypt to: 0x and 64 hex digits
    #[arg(long, value_name = "KEY")]
    recipient: Hash32,
    /// An approver's consent, a file of `r3e wallets approve`; repeat for several
    #[arg(long = "approval", value_name = "FILE")]
    approvals: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// What `r3e wallets export` printed
    sealed: PathBuf,
    /// The X25519 key, a file of `r3e wallets export-keygen`
    #[arg(long, value_name = "FILE")]
    export_key: PathBuf,
    /// The new file to write the private key to, as 64 hex digits
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) async fn run(self, settings: &Settings) -> Result<(), CliError> {
        let request = ExportRequest { recipient: self.recipient, approvals: approvals_in(&self.approvals)? };
        let mut tenant = session::signed_in(settings).await?;
        let exported = tenant.export_wallet(&self.name, &request).await?;
        // It is a file's content in any case.
        Printer::new(true).result(&exported, |_| String::new())?;
        session::remembered(tenant.tenant().check_state().await)
    }
}

impl Open {
    pub(super) fn run(&self, printer: Printer) -> Result<(), CliError> {
        let exported: Exported = json_file(&self.sealed)?;
        let key = ExportKey::read(&self.export_key).map_err(refused)?;
        let opened = key.open(&exported).map_err(refused)?;
        let text = Zeroizing::new(hex::encode(opened.as_slice()));
        write_private_new(&self.out, text.as_bytes())?;
        let done = json!({ "wallet": exported.name, "key_type": exported.key_type, "file": self.out });
        printer.result(&done, |_| format!("the key of {} is in {}", exported.name, self.out.display()))
    }
}

/// Makes a key to export to.
pub(super) fn keygen(file: &Path, printer: Printer) -> Result<(), CliError> {
    let key = ExportKey::generate().map_err(refused)?;
    key.write_new(file)?;
    let made = json!({ "key_file": file, "recipient": key.public_key() });
    printer.result(&made, |_| format!("key file   {}\nrecipient  {}", file.display(), key.public_key()))
}

fn refused(error: ExportError) -> CliError {
    match error {
        ExportError::Key(error) => error.into(),
        other => CliError::Usage(other.to_string()),
    }
}
