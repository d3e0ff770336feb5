//! The seam through which money comes and goes: whoever sees it move outside records it here. The operator's routes do, and a
//! watcher of a chain can.

use std::future::Future;
use std::pin::Pin;

use r3e_proto::api::billing::{Recorded, Transfer};
use r3e_proto::api::identity::TenantId;

use crate::error::LedgerError;

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
