//! Wallets, as what works on a tenant's behalf has its transactions signed: each behind its gate, while the tenant is active.

use std::sync::Arc;

use r3e_proto::api::identity::{TenantId, TenantState};
use r3e_proto::api::wallets::{Hash32, HexBytes, Payload, SignRequest};
use r3e_transactions::limits::MAX_TROUBLE_CHARS;
use r3e_transactions::{Asker, NotSigned};

use super::wallets::{By, Wallets};
use super::{ServiceError, Tenants};

/// The wallets, each behind its gate.
pub(crate) struct ByWallets {
    wallets: Arc<Wallets>,
    tenants: Arc<Tenants>,
}

impl ByWallets {
    pub(crate) fn new(wallets: Arc<Wallets>, tenants: Arc<Tenants>) -> Self {
        Self { wallets, tenants }
    }

    /// Signs a transaction by the tenant's wallet, if its address is `account` and its policy allows it. Gives the signed bytes and their hash.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub(crate) async fn transaction(
        &self,
        tenant: TenantId,
        by: r3e_transactions::By<'_>,
        account: String,
        payload: Payload,
    ) -> Result<(Hash32, HexBytes), NotSigned> {
        let found = self.tenants.find(tenant).await.map_err(|error| not_signed(&error))?;
        if !found.is_some_and(|tenant| tenant.state == TenantState::Active) {
            return Err(NotSigned {
                code: "suspended".to_owned(),
                message: "the tenant is suspended".to_owned(),
                may_pass: true,
            });
        }
        self.is_of(tenant, by.wallet, &account).await?;
        let asker = match by.asker {
            Asker::Tenant => By::Tenant,
            Asker::ApiKey(id) => By::ApiKey(id.clone()),
            Asker::Function(version) => By::Function(version.clone()),
        };
        let request = SignRequest { payload, approvals: Vec::new() };
        let signed = self.wallets.sign(tenant, &asker, by.wallet, &request).await;
        let signed = signed.map_err(|error| not_signed(&error))?;
        // One that was made anew under its name meanwhile signs for another account.
        self.is_of(tenant, by.wallet, &account).await?;
        match (signed.transaction_hash, signed.transaction) {
            (Some(hash), Some(bytes)) => Ok((hash, bytes)),
            _ => {
                Err(not_signed(&ServiceError::Internal("a transaction was signed as something else".into())))
            }
        }
    }

    async fn is_of(&self, tenant: TenantId, name: &str, account: &str) -> Result<(), NotSigned> {
        let found = self.wallets.show(tenant, name).await.map_err(|error| not_signed(&error))?;
        let found = found.wallet.address;
        if found == account {
            return Ok(());
        }
        Err(NotSigned {
            code: "other_wallet".to_owned(),
            message: format!("the wallet {name:?} is another one now, of the account {found}"),
            may_pass: false,
        })
    }
}

fn not_signed(error: &ServiceError) -> NotSigned {
    let message = error.to_string().chars().take(MAX_TROUBLE_CHARS).collect();
    let (code, may_pass) = match error {
        // The window moves on.
        ServiceError::Denied { code, .. } => (*code, code.starts_with("window_")),
        ServiceError::NotFound { .. } => ("not_found", false),
        ServiceError::Invalid(_) => ("bad_request", false),
        _ => ("unavailable", true),
    };
    NotSigned { code: code.to_owned(), message, may_pass }
}
