//! `r3e operator restore-order`: the consent of the operator quorum that an appliance goes back to an older state. Nothing
//! here connects to anything.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use r3e_client::{SigningKey, approve_restore};
use r3e_proto::api::witness::Hex;
use r3e_proto::limits::MAX_RESTORE_ORDER_BYTES;
use r3e_proto::restore::{OrderError, RestoreOrder, SignedRestoreOrder, approval_message};
use serde::Serialize;

use crate::confirm::confirm;
use crate::error::CliError;
use crate::output::{Printer, fields, note};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write down which state of which appliance is to be restored, not signed yet
    #[command(after_help = "\
An appliance whose state is older than its witnesses hold does not start, and its log says the sequence and the head of the
state, and the sequence that the witnesses hold. Everything between the two is given up.

Example:
  r3e operator restore-order new --identity 6f1d…09 --sequence 18233 --head 8a54…c1 --over 18671 --out order.cbor")]
    New(New),
    /// Consent to an order with a key of the configuration's restore table; adds the signature to the file
    #[command(after_help = "\
Shows the order and asks. Whatever was acknowledged after the sequence that is restored is lost: wallets' limits, secrets and
grants are as they were then, and what was revoked since holds again.

Example:
  r3e operator restore-order sign order.cbor --restore-key alice-restore.pem")]
    Sign(Sign),
    /// Show an order and who signed it; says nothing of whether they may
    #[command(after_help = "Example:\n  r3e operator restore-order show order.cbor --json")]
    Show {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The appliance's identity, 64 hex digits, as `r3e enclave status` showed it
    #[arg(long, value_name = "HEX")]
    identity: Hex<32>,
    /// The sequence of the state that is to be restored
    #[arg(long, value_name = "N")]
    sequence: u64,
    /// The SHA-256 of its sealed head, 64 hex digits
    #[arg(long, value_name = "HEX")]
    head: Hex<32>,
    /// The sequence that is given up for it: exactly what the refusal names; compare it at the witnesses
    #[arg(long, value_name = "N")]
    over: u64,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The file; the signature is added to it
    file: PathBuf,
    /// The key to sign with: a file of `r3e operator keygen`
    #[arg(long, value_name = "PEM")]
    restore_key: PathBuf,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// An order as it is shown.
#[derive(Serialize)]
struct Shown {
    identity: String,
    sequence: u64,
    head: String,
    over: u64,
    /// What its signatures are over.
    approval: String,
    keys: Vec<String>,
}

pub(super) fn run(command: Command, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::New(new) => new.run(printer),
        Command::Sign(sign) => sign.run(printer),
        Command::Show { file } => printer.result(&Shown::of(&read(&file)?)?, Shown::human),
    }
}

impl New {
    fn run(self, printer: Printer) -> Result<(), CliError> {
        let Self { identity, sequence, head, over, out } = self;
        let order = RestoreOrder { identity: identity.0, sequence, head: head.0, over };
        RestoreOrder::decode(&order.encode()).map_err(OrderError::from)?;
        let signed = SignedRestoreOrder::unsigned(&order);
        write(&out, &signed, File::create_new(&out))?;
        printer.result(&Shown::of(&signed)?, Shown::human)
    }
}

impl Sign {
    fn run(&self, printer: Printer) -> Result<(), CliError> {
        let mut signed = read(&self.file)?;
        let key = SigningKey::read(&self.restore_key)?;
        note(&Shown::of(&signed)?.human());
        confirm("Shall the appliance go back to this state, and give up what came after it?", self.yes)?;
        approve_restore(&mut signed, &key)?;
        let mut partial = self.file.as_os_str().to_owned();
        partial.push(".new");
        let partial = PathBuf::from(partial);
        write(&partial, &signed, File::create(&partial))?;
        std::fs::rename(&partial, &self.file).map_err(|source| unusable(&self.file, source))?;
        printer.result(&Shown::of(&signed)?, |shown| {
            format!("signed with {}; signatures: {}", key.public_key(), shown.keys.len())
        })
    }
}

impl Shown {
    fn of(signed: &SignedRestoreOrder) -> Result<Self, CliError> {
        let order = signed.read_unverified().map_err(OrderError::from)?;
        Ok(Self {
            identity: hex::encode(order.identity),
            sequence: order.sequence,
            head: hex::encode(order.head),
            over: order.over,
            approval: hex::encode(approval_message(signed.order())),
            keys: signed.signatures().iter().map(|(key, _)| key.to_string()).collect(),
        })
    }

    fn human(&self) -> String {
        let mut pairs = vec![
            ("appliance", self.identity.clone()),
            ("restores the sequence", self.sequence.to_string()),
            ("with the head", self.head.clone()),
            ("and gives up those to", self.over.to_string()),
            ("approval digest", self.approval.clone()),
        ];
        pairs.extend(self.keys.iter().map(|key| ("said to be signed by", key.clone())));
        fields(&pairs)
    }
}

fn read(path: &Path) -> Result<SignedRestoreOrder, CliError> {
    let mut bytes = Vec::new();
    // One byte more than the limit, so that the decoder sees that it is too long.
    File::open(path)
        .and_then(|file| file.take(MAX_RESTORE_ORDER_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|source| unusable(path, source))?;
    Ok(SignedRestoreOrder::decode(&bytes).map_err(OrderError::from)?)
}

fn write(path: &Path, signed: &SignedRestoreOrder, file: std::io::Result<File>) -> Result<(), CliError> {
    let written = file.and_then(|mut file| {
        file.write_all(&signed.encode())?;
        file.sync_all()
    });
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => CliError::Usage(format!(
            "{} exists, and may hold signatures: choose another file, or move that one away",
            path.display()
        )),
        _ => unusable(path, source),
    })
}

fn unusable(path: &Path, source: std::io::Error) -> CliError {
    CliError::Io { what: path.display().to_string(), source }
}
