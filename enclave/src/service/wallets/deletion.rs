//! Deletes a wallet. Its key is gone with it, for good: a derived one with the id that it was derived from. What was done with
//! it stays known under its name.

use r3e_keys::wallet::gate::Asker;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Action;
use r3e_store::Write;

use super::audit::{self, Ring};
use super::records::{Spaces, State};
use super::signing::gate;
use super::{By, Wallets};
use crate::service::ServiceError;
use crate::service::json::encode;

impl Wallets {
    /// Deletes a wallet that no approvers hold.
    ///
    /// # Errors
    /// [`ServiceError::Denied`] where its policy has approvers; [`ServiceError::NotFound`]; [`ServiceError::Conflict`] if it
    /// was used meanwhile.
    pub(crate) async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), ServiceError> {
        let spaces = Spaces::of(tenant)?;
        let _turn = self.turn(tenant, name).await?;
        let standing = self.standing(&spaces, name).await?;
        let revision = standing.stored.wallet.revision;
        let entry = audit::entry(self.clock.now_ms(), Action::Delete, &By::Tenant, revision);
        if let Err(denied) = gate(tenant, &standing.stored).delete(Asker::Tenant) {
            return Err(self.deny(tenant, &spaces, &standing, entry, denied).await);
        }
        let mut state = State { deleted_revision: revision, ..standing.state };
        let page = audit::add(&self.store, &spaces.audit, name, &mut state, Ring::Kept, entry).await?;
        self.commit(vec![
            page,
            Write::put(&spaces.states, name, encode(&state)?).if_version(standing.state_version),
            Write::delete(&spaces.wallets, name).if_version(standing.version),
            Write::delete(&spaces.keys, name),
        ])
        .await
    }
}
