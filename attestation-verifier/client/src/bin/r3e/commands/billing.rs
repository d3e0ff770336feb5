//! `r3e usage`, `r3e balance`, `r3e ledger`.

use std::str::FromStr as _;

use clap::Args;
use r3e_proto::api::billing::{
    Account, Amount, Balance, Currency, Entry, EntryKind, Metered, Month, Quota, UsageReport,
};
use r3e_proto::limits::MAX_LEDGER_PAGE;
use serde_json::json;

use crate::error::CliError;
use crate::output::{Printer, fields, table, time};
use crate::session;
use crate::settings::Settings;

pub(crate) const BALANCE_HELP: &str = "\
Amounts are whole numbers of the currency's smallest unit, as the measured configuration names it; with --json they are texts.

Example:
  r3e balance --json";

#[derive(Debug, Args)]
#[command(after_help = "\
Memory is the function's limit times its wall time; storage is what is kept times how long. What was used in the last seconds
before an appliance crashed may be missing: docs/billing.md says how much.

Example:
  r3e usage --month 2026-11 --json")]
pub(crate) struct Usage {
    /// The month, UTC [default: the one that is under way, by the appliance's clock]
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Every entry is added up as it comes: one that is left out, or does not sum to zero, fails the command with 1.

Examples:
  r3e ledger
  r3e ledger --after 256 --limit 50 --json")]
pub(crate) struct Ledger {
    /// Only entries with a higher number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// At most so many, 1 to 256; without it, all of them
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
}

pub(crate) async fn usage(command: &Usage, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let month = command.month.as_deref().map(Month::from_str).transpose();
    let month = month.map_err(|error| CliError::Usage(format!("--month: {error}")))?;
    let report = session::tenant(settings).await?.usage(month).await?;
    printer.result(&report, shown_usage)
}

pub(crate) async fn balance(settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let balance = session::tenant(settings).await?.balance().await?;
    printer.result(&balance, shown_balance)
}

pub(crate) async fn ledger(command: &Ledger, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    if command.limit.is_some_and(|limit| !(1..=MAX_LEDGER_PAGE).contains(&limit)) {
        return Err(CliError::Usage(format!("--limit takes 1 to {MAX_LEDGER_PAGE}")));
    }
    let mut tenant = session::tenant(settings).await?;
    let mut page = tenant.ledger(command.after, command.limit.unwrap_or(MAX_LEDGER_PAGE)).await?;
    while let (None, Some(next)) = (command.limit, page.next) {
        let following = tenant.ledger(next, MAX_LEDGER_PAGE).await?;
        page.entries.extend(following.entries);
        page.next = following.next;
    }
    let currency = tenant.balance().await?.currency;
    let shown = json!({ "currency": currency, "entries": page.entries, "next": page.next });
    printer.result(&shown, |_| {
        let entries = shown_entries(&page.entries, currency.as_ref());
        page.next.map_or(entries.clone(), |next| format!("{entries}\nmore with --after {next}"))
    })
}

fn shown_usage(report: &UsageReport) -> String {
    let row = |name: &str, used: &Metered| {
        [
            name.to_owned(),
            used.invocations.to_string(),
            used.failures.to_string(),
            millis(used.cpu_us),
            millis(used.wall_us),
            used.memory_mib_ms.to_string(),
            used.bytes_out.to_string(),
            used.host_calls.to_string(),
            used.storage_byte_s.to_string(),
        ]
    };
    let mut rows: Vec<_> = report.functions.iter().map(|(name, used)| row(name, used)).collect();
    rows.push(row("total", &report.total));
    let head =
        ["FUNCTION", "CALLS", "FAILED", "CPU ms", "WALL ms", "MiB ms", "BYTES OUT", "HOST CALLS", "BYTE s"];
    format!("{}\n\n{}quota: {}", report.month, table(head, &rows), shown_quota(&report.quota))
}

/// Microseconds as milliseconds.
fn millis(us: u64) -> String {
    format!("{}.{:03}", us / 1_000, us % 1_000)
}

/// What is limited, in words.
pub(super) fn shown_quota(quota: &Quota) -> String {
    let limits: Vec<String> = quota
        .against(&Metered::default())
        .into_iter()
        .filter_map(|(what, _, limit)| limit.map(|limit| format!("{limit} {what}")))
        .collect();
    if limits.is_empty() { "none".to_owned() } else { limits.join(", ") }
}

/// An amount in whole units.
pub(super) fn money(amount: Amount, currency: Option<&Currency>) -> String {
    match currency {
        Some(Currency { name, decimals }) => format!("{} {name}", amount.shown(*decimals)),
        None => amount.to_string(),
    }
}

/// A balance, in words.
pub(super) fn shown_balance(balance: &Balance) -> String {
    let of = |amount| money(amount, balance.currency.as_ref());
    fields(&[
        ("tenant", balance.tenant.to_string()),
        ("plan", balance.plan.clone()),
        ("spendable", of(balance.spendable)),
        ("available", of(balance.available)),
        ("reserved", format!("{}, {} of it used", of(balance.reserved), of(balance.used))),
    ])
}

fn shown_entries(entries: &[Entry], currency: Option<&Currency>) -> String {
    let rows: Vec<[String; 6]> = entries
        .iter()
        .map(|entry| {
            let moved = |account: Account| {
                let posting = entry.postings.iter().find(|posting| posting.account == account);
                posting.map_or_else(String::new, |posting| {
                    let sign = if posting.amount.units() < 0 { "-" } else { "+" };
                    format!("{sign}{}", money(posting.amount.size(), currency))
                })
            };
            let about = match (&entry.reference, &entry.plan, entry.month) {
                (Some(reference), ..) => reference.clone(),
                (None, Some(plan), Some(month)) => format!("{plan}, {month}"),
                _ => String::new(),
            };
            [
                entry.number.to_string(),
                time(entry.at_ms),
                word(entry.kind).to_owned(),
                moved(Account::Tenant),
                moved(Account::Reservations),
                about,
            ]
        })
        .collect();
    table(["NUMBER", "AT", "ENTRY", "TENANT", "RESERVATIONS", "ABOUT"], &rows)
}

fn word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Deposit => "deposit",
        EntryKind::Withdrawal => "withdrawal",
        EntryKind::Reserve => "reserve",
        EntryKind::Settle => "settle",
        EntryKind::Recover => "recover",
        EntryKind::Fee => "fee",
    }
}
