//! Functions as jobs need them: what one is granted, looked up without running it.

use r3e_functions::Draw;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::versions::Reference;

use super::Functions;
use crate::service::ServiceError;

impl Functions {
    /// The hosts that the version which is meant may reach; of a split, always the same one of the two.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn granted_hosts(
        &self,
        tenant: TenantId,
        reference: &Reference,
    ) -> Result<Vec<String>, ServiceError> {
        let deployed = self.registry.load(tenant, reference, Draw::Random(&[u8::MAX; 16])).await?;
        Ok(deployed.function.permissions.net)
    }
}
