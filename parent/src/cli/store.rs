//! `r3e-parent takeover`, `backup` and `restore`: what an operator does with the store.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use r3e_parent::backup::{self, Place, Progress, Summary};
use r3e_parent::{order_takeover, orders};
use serde_json::json;

use super::settings::Options;
use super::{EXIT_FAILED, EXIT_USAGE, exit, print};

#[derive(Debug, Args)]
#[command(
    after_help = "Afterwards the parent that held the lease writes nothing more, and its enclave is ended.\n\n\
    Example:\n  r3e-parent takeover --data /var/lib/r3e"
)]
pub(super) struct Takeover {
    /// The data folder of the parent that shall hold the lease
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Writes the outcome as one JSON object
    #[arg(long)]
    json: bool,
}

/// Where the store is.
#[derive(Debug, Args)]
struct StoreArgs {
    /// A file with settings in TOML: the same as the parent's
    #[arg(long, env = "R3E_PARENT_SETTINGS", value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The parent's data folder; not needed for a store in PostgreSQL
    #[arg(long, env = "R3E_PARENT_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    #[arg(
        long,
        env = "R3E_PARENT_STORE",
        value_name = "URL",
        help = "The store: postgres://USER@HOST/DATABASE [default: embedded, in the data folder]"
    )]
    store: Option<String>,
    /// PEM certificates that sign the database server's [default: those of the public web]
    #[arg(long, env = "R3E_PARENT_STORE_CA", value_name = "FILE")]
    store_ca: Option<PathBuf>,
    /// A file with the password of the database alone
    #[arg(long, env = "R3E_PARENT_STORE_PASSWORD_FILE", value_name = "FILE")]
    store_password_file: Option<PathBuf>,
    /// Lets sslmode=disable stand for a database on another machine
    #[arg(long)]
    store_plaintext: bool,
    /// Writes the outcome as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What is written is sealed: without the enclave's root secret nobody reads it. The parent may run.\n\n\
    Examples:\n  r3e-parent backup --data /var/lib/r3e --out r3e-2026-01-31.backup\n  \
    r3e-parent backup --settings /etc/r3e/parent.toml --out r3e.backup"
)]
pub(super) struct Backup {
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "An older state that is put back is a rolled-back state: clients that have seen a later one refuse it, and an\n\
    appliance with rollback witnesses opens it by an order of its operator quorum alone (`r3e operator restore-order`).\n\
    For a backup the parent must be stopped; an order is taken at any time, and handed to the enclave at its next boot.\n\n\
    Examples:\n  r3e-parent restore r3e-2026-01-31.backup --data /var/lib/r3e\n  \
    r3e-parent restore --order order.cbor --data /var/lib/r3e\n  \
    r3e-parent restore r3e-2026-01-31.backup --order order.cbor --data /var/lib/r3e"
)]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE", required_unless_present = "order")]
    file: Option<PathBuf>,
    /// A signed order to restore, for the enclave's next boot; over one that was there
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
    /// Replaces what the store holds; of an embedded one, that is kept beside it
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Takeover {
    /// Orders it.
    pub(super) fn run(self) -> ExitCode {
        exit(self.order(), EXIT_FAILED)
    }

    fn order(&self) -> anyhow::Result<()> {
        let epoch = runtime()?.block_on(order_takeover(&self.data))?;
        let text = if self.json {
            format!("{:#}\n", json!({ "epoch": epoch }))
        } else {
            format!("this parent holds the lease, at epoch {epoch}\n")
        };
        print(text.as_bytes())
    }
}

impl Backup {
    /// Writes it.
    pub(super) fn run(self) -> ExitCode {
        let place = match self.store.place() {
            Ok(place) => place,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        exit(self.save(&place), EXIT_FAILED)
    }

    fn save(&self, place: &Place) -> anyhow::Result<()> {
        let bar = bar("backed up");
        let saved = runtime()?.block_on(backup::save(place, &self.out, &mut |done| show(&bar, done)));
        bar.finish_and_clear();
        let words = format!("{} holds", self.out.display());
        tell(&words, &saved?, None, self.store.json)
    }
}

impl Restore {
    /// Puts it back.
    pub(super) fn run(self) -> ExitCode {
        let place = match self.store.place() {
            Ok(place) => place,
            Err(wrong) => return exit(Err(wrong), EXIT_USAGE),
        };
        exit(self.put_back(&place), EXIT_FAILED)
    }

    fn put_back(&self, place: &Place) -> anyhow::Result<()> {
        if let Some(order) = &self.order {
            let data =
                place.data.as_deref().context("an order is kept in the parent's data folder: give --data")?;
            let taken = orders::take(data, order)?;
            let order = taken.read_unverified()?;
            let text = if self.store.json {
                let (sequence, over) = (order.sequence, order.over);
                let order =
                    json!({ "sequence": sequence, "over": over, "signatures": taken.signatures().len() });
                format!("{:#}\n", json!({ "order": order }))
            } else {
                format!(
                    "the enclave's next boot is handed the order to restore the sequence {} over {}, with {} signatures\n",
                    order.sequence,
                    order.over,
                    taken.signatures().len()
                )
            };
            print(text.as_bytes())?;
        }
        let Some(file) = &self.file else { return Ok(()) };
        let bar = bar("restored");
        let mut told = |done| show(&bar, done);
        let restoring = backup::restore(place, file, self.replace, &mut told);
        let restored = runtime()?.block_on(restoring);
        bar.finish_and_clear();
        let (summary, kept) = restored?;
        tell("the store holds", &summary, kept, self.store.json)
    }
}

impl StoreArgs {
    fn place(&self) -> anyhow::Result<Place> {
        let file = self.settings.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        let given = Options::of_store(
            self.store.clone(),
            self.store_ca.clone(),
            self.store_password_file.clone(),
            self.store_plaintext,
        );
        let store = given.store_over(&file)?;
        Ok(Place { data: self.data.clone().or(file.data), store })
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")
}

/// A line that tells how far it is; nothing where the error stream is no terminal.
fn bar(doing: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_prefix(doing);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, done: Progress) {
    let records = if done.records > 0 { format!("{} records, ", done.records) } else { String::new() };
    bar.set_message(format!("{records}{}", HumanBytes(done.bytes)));
    bar.tick();
}

fn tell(words: &str, summary: &Summary, kept: Option<PathBuf>, as_json: bool) -> anyhow::Result<()> {
    let hex = |digest: &[u8]| {
        digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    let (head, checksum) = (summary.head.map(|head| hex(&head)), hex(&summary.checksum));
    let text = if as_json {
        let outcome = json!({
            "records": summary.records, "bytes": summary.bytes, "made_unix_seconds": summary.made_unix_seconds,
            "head_sha256": head, "slot": summary.has_slot, "sha256": checksum, "kept": kept,
        });
        format!("{outcome:#}\n")
    } else {
        let state = head.map_or_else(|| "no state".to_owned(), |head| format!("the state {head}"));
        let kept =
            kept.map_or_else(String::new, |kept| format!("what was there is kept in {}\n", kept.display()));
        let size = HumanBytes(summary.bytes);
        format!("{words} {} records and {state} ({size}, SHA-256 {checksum})\n{kept}", summary.records)
    };
    print(text.as_bytes())
}
