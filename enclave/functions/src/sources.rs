//! What functions may be given that lives elsewhere, as the narrowest interfaces that serve. The composition root
//! supplies them.

use std::future::Future;
use std::pin::Pin;

use r3e_proto::api::identity::TenantId;
use thiserror::Error;
use zeroize::Zeroizing;

use r3e_proto::function_version::Version;

/// What a source answers, boxed so that the traits can be trait objects.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// A source that has no answer now. The words are for the appliance's log, never for the function.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Tenants' secrets. It is asked only for names that a function was granted.
pub trait SecretSource: Send + Sync {
    /// The secret of this name, if it is set.
    fn secret<'a>(&'a self, tenant: TenantId, name: &'a str) -> SourceFuture<'a, Option<Zeroizing<String>>>;
}

/// The attestation device, for one purpose.
pub trait AttestationSource: Send + Sync {
    /// A fresh document that says: this version of a function of this tenant's asked for `data` to be attested
    /// (`Statement::Function`). `data` has at most `MAX_FUNCTION_DATA_BYTES`.
    fn attest_function(&self, tenant: TenantId, version: Version, data: Vec<u8>)
    -> SourceFuture<'_, Vec<u8>>;
}
