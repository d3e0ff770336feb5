//! `r3e operator plan|quota|deposit|withdraw|balance|books`.

use clap::Args;
use r3e_proto::api::billing::{Amount, Books, Quota, Recorded};
use r3e_proto::api::identity::TenantId;

use super::super::billing::{money, shown_balance, shown_quota};
use crate::error::CliError;
use crate::output::{Printer, fields};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Args)]
#[command(after_help = "\
The plan holds from the next invocation on; a plan with a fee is paid at once, from the tenant's balance.

Exit code: 1 if the fee is not covered, or there is no such plan or tenant.

Example:
  r3e operator plan 0123456789abcdef0123456789abcdef pay-as-you-go")]
pub(crate) struct Plan {
    /// The tenant's id, 32 hex digits
    tenant: String,
    /// The plan's name in the measured configuration, or none
    plan: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is not named is not limited. --default gives the tenant the quota of the measured configuration again.

Examples:
  r3e operator quota 0123456789abcdef0123456789abcdef --invocations 1000000 --cpu-us 3600000000
  r3e operator quota 0123456789abcdef0123456789abcdef --default")]
pub(crate) struct SetQuota {
    /// The tenant's id, 32 hex digits
    tenant: String,
    /// The quota of the measured configuration
    #[arg(long, conflicts_with_all = ["invocations", "cpu_us", "wall_us", "memory_mib_ms", "bytes_out", "host_calls", "storage_byte_s"])]
    default: bool,
    /// Invocations a month
    #[arg(long, value_name = "N")]
    invocations: Option<u64>,
    /// Microseconds of the processor a month
    #[arg(long, value_name = "N")]
    cpu_us: Option<u64>,
    /// Microseconds of wall time a month
    #[arg(long, value_name = "N")]
    wall_us: Option<u64>,
    /// MiB times milliseconds of memory a month
    #[arg(long, value_name = "N")]
    memory_mib_ms: Option<u64>,
    /// Bytes sent by fetch a month
    #[arg(long, value_name = "N")]
    bytes_out: Option<u64>,
    /// Calls to the appliance a month
    #[arg(long, value_name = "N")]
    host_calls: Option<u64>,
    /// Bytes times seconds of storage a month
    #[arg(long, value_name = "N")]
    storage_byte_s: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The same reference again records nothing, and exits with 0: repeat the command where you do not know whether it was done. A
reference of another amount or tenant is refused with 1.

Example:
  r3e operator deposit 0123456789abcdef0123456789abcdef 150000000 --reference 0x5e1f…")]
pub(crate) struct Deposit {
    #[command(flatten)]
    transfer: Transfer,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Record it before you pay it out: then the tenant cannot spend it meanwhile. The same reference again records nothing.

Exit code: 1 if the balance does not cover it.

Example:
  r3e operator withdraw 0123456789abcdef0123456789abcdef 20000000 --reference payout-2026-11-001")]
pub(crate) struct Withdraw {
    #[command(flatten)]
    transfer: Transfer,
}

#[derive(Debug, Args)]
struct Transfer {
    /// The tenant's id, 32 hex digits
    tenant: String,
    /// How much, in the currency's smallest unit
    amount: String,
    /// What it is called outside: a transaction's hash, an invoice's number
    #[arg(long)]
    reference: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  r3e operator balance 0123456789abcdef0123456789abcdef --json")]
pub(crate) struct Balance {
    /// The tenant's id, 32 hex digits
    tenant: String,
}

fn tenant(text: &str) -> Result<TenantId, CliError> {
    text.parse().map_err(|_| CliError::Usage("a tenant's id has 32 hex digits".to_owned()))
}

impl Transfer {
    fn read(&self) -> Result<(TenantId, Amount), CliError> {
        let amount =
            self.amount.parse().map_err(|error| CliError::Usage(format!("{:?}: {error}", self.amount)))?;
        Ok((tenant(&self.tenant)?, amount))
    }
}

pub(super) async fn plan(command: &Plan, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let id = tenant(&command.tenant)?;
    let mut operator = session::operator(settings).await?;
    let balance = operator.set_plan(id, &command.plan).await?;
    printer.result(&balance, shown_balance)?;
    session::remembered(operator.check_state().await)
}

pub(super) async fn quota(command: &SetQuota, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let id = tenant(&command.tenant)?;
    let SetQuota {
        invocations, cpu_us, wall_us, memory_mib_ms, bytes_out, host_calls, storage_byte_s, ..
    } = *command;
    let own = Quota { invocations, cpu_us, wall_us, memory_mib_ms, bytes_out, host_calls, storage_byte_s };
    let mut operator = session::operator(settings).await?;
    let quota = operator.set_quota(id, (!command.default).then_some(own)).await?;
    printer.result(&quota, |quota| format!("quota of {id}: {}", shown_quota(quota)))?;
    session::remembered(operator.check_state().await)
}

pub(super) async fn deposit(
    command: &Deposit,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let (id, amount) = command.transfer.read()?;
    let mut operator = session::operator(settings).await?;
    let recorded = operator.deposit(id, amount, &command.transfer.reference).await?;
    printer.result(&recorded, |recorded| shown("deposited", amount, recorded))?;
    session::remembered(operator.check_state().await)
}

pub(super) async fn withdraw(
    command: &Withdraw,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let (id, amount) = command.transfer.read()?;
    let mut operator = session::operator(settings).await?;
    let recorded = operator.withdraw(id, amount, &command.transfer.reference).await?;
    printer.result(&recorded, |recorded| shown("withdrawn", amount, recorded))?;
    session::remembered(operator.check_state().await)
}

pub(super) async fn balance(
    command: &Balance,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let id = tenant(&command.tenant)?;
    let balance = session::operator(settings).await?.balance(id).await?;
    printer.result(&balance, shown_balance)
}

pub(super) async fn books(settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let books = session::operator(settings).await?.books().await?;
    printer.result(&books, shown_books)
}

fn shown(done: &str, amount: Amount, recorded: &Recorded) -> String {
    let Recorded { entry, repeated, balance } = recorded;
    let amount = money(amount, balance.currency.as_ref());
    let before = if *repeated { ", before: nothing was recorded now" } else { "" };
    format!("{done} {amount} (entry {entry}{before})\n\n{}", shown_balance(balance))
}

fn shown_books(books: &Books) -> String {
    let of = |amount| money(amount, books.currency.as_ref());
    fields(&[
        ("deposited", of(books.deposited)),
        ("withdrawn", of(books.withdrawn)),
        ("with tenants", of(books.tenants)),
        ("reserved", of(books.reservations)),
        ("revenue", of(books.revenue)),
        ("commits", books.sequence.to_string()),
    ])
}
