//! What feeds need of the rest of the appliance.

use std::pin::Pin;

use bytes::Bytes;
use r3e_proto::api::feeds::{Signature, Target};
use r3e_proto::api::identity::TenantId;

use crate::record::Kept;

/// What is under way.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The web, as venues are asked there.
pub trait Web: Send + Sync + 'static {
    /// Whether `url` is one that may be asked at all.
    ///
    /// # Errors
    /// In words for its tenant: what is wrong with it.
    fn check(&self, url: &str) -> Result<(), String>;

    /// The body of an answer with HTTP's status 200, of at most `max_bytes`. No redirect is followed. Ends within `timeout_ms` or so;
    /// dropped, it is given up.
    ///
    /// # Errors
    /// In words for its tenant: why there is none.
    fn get<'a>(
        &'a self,
        url: &'a str,
        max_bytes: usize,
        timeout_ms: u64,
    ) -> BoxFuture<'a, Result<Bytes, String>>;
}

/// The tenants.
pub trait Tenants: Send + Sync + 'static {
    /// Whether the tenant may act.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn is_active(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool, String>>;
}

/// The keys that sign reports.
pub trait Signer: Send + Sync + 'static {
    /// Signs a report, which is durable, with the tenant's key for the target's kind of chain.
    ///
    /// # Errors
    /// In words: it cannot be signed.
    fn sign(&self, tenant: TenantId, target: &Target, report: &Kept) -> Result<Signature, String>;
}
