//! What triggers need of the rest of the appliance.

use r3e_jobs::BoxFuture;
use r3e_proto::api::identity::TenantId;
use zeroize::Zeroizing;

/// The tenants' functions and secrets.
pub trait Outside: Send + Sync + 'static {
    /// Whether the tenant may act, and has what `function` refers to.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn has_function<'a>(&'a self, tenant: TenantId, function: &'a str)
    -> BoxFuture<'a, Result<bool, String>>;

    /// The secret's value, where it is granted to what `function` refers to; none where it is not, or there is none.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn secret<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<String>>, String>>;
}
