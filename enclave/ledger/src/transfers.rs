//! The seam through which money comes and goes: whoever sees it move outside records it here. The operator's routes do, and a
//! watcher of a chain can.

use std::future::Future;
use std::pin::Pin;

use r3e_proto::api::billing::{Amount, EntryKind, Recorded, Transfer};
use r3e_proto::api::identity::TenantId;
use r3e_proto::limits::MAX_REFERENCE_BYTES;

use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::writer::Job;

/// What recording gives, boxed so that the trait can be a trait object.
pub type TransferFuture<'a> = Pin<Box<dyn Future<Output = Result<Recorded, LedgerError>> + Send + 'a>>;

/// Records transfers between a tenant's account and the outside. Each is durable when it is answered, and recorded once for its
/// reference: whoever does not know whether it was recorded, records it again. References of deposits and of withdrawals are
/// apart; each is one tenant's, of one amount.
///
/// Errors: [`LedgerError::NoCurrency`], [`LedgerError::Amount`], [`LedgerError::Reference`], [`LedgerError::ReferenceTaken`],
/// [`LedgerError::Insufficient`]: nothing was recorded. [`LedgerError::Unconfirmed`] and the store's: record it again.
pub trait Transfers: Send + Sync {
    /// It came from outside.
    fn deposit(&self, tenant: TenantId, transfer: Transfer) -> TransferFuture<'_>;

    /// It goes outside: once this is answered the tenant cannot spend it, so that it can be paid out.
    fn withdraw(&self, tenant: TenantId, transfer: Transfer) -> TransferFuture<'_>;
}

impl Transfers for Ledger {
    fn deposit(&self, tenant: TenantId, transfer: Transfer) -> TransferFuture<'_> {
        Box::pin(record(self, tenant, EntryKind::Deposit, transfer))
    }

    fn withdraw(&self, tenant: TenantId, transfer: Transfer) -> TransferFuture<'_> {
        Box::pin(record(self, tenant, EntryKind::Withdrawal, transfer))
    }
}

async fn record(
    ledger: &Ledger,
    tenant: TenantId,
    kind: EntryKind,
    transfer: Transfer,
) -> Result<Recorded, LedgerError> {
    if ledger.shared.terms.currency.is_none() {
        return Err(LedgerError::NoCurrency);
    }
    let Transfer { amount, reference } = transfer;
    if amount == Amount::ZERO {
        return Err(LedgerError::Amount);
    }
    let printable = reference.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || !(1..=MAX_REFERENCE_BYTES).contains(&reference.len()) {
        return Err(LedgerError::Reference);
    }
    ledger.ready().await?;
    let job = |answer| Job::Transfer { tenant, kind, amount, reference, answer };
    let (entry, repeated) = ledger.ask_ledger(job).await?;
    Ok(Recorded { entry, repeated, balance: ledger.balance(tenant).await? })
}
