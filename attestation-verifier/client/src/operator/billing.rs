//! What the operator does with tenants' plans and money.

use r3e_proto::api::billing::{Amount, Balance, Books, Quota, Recorded, SetPlan, SetQuota, Transfer};
use r3e_proto::api::identity::TenantId;

use super::OperatorChannel;
use crate::error::ClientError;
use crate::input;

impl OperatorChannel {
    /// A tenant's plan and balance.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such tenant.
    pub async fn balance(&mut self, tenant: TenantId) -> Result<Balance, ClientError> {
        self.channel.get("the balance", &format!("/v1/tenants/{tenant}/balance")).await
    }

    /// All accounts of all tenants together.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn books(&mut self) -> Result<Books, ClientError> {
        self.channel.get("the books", "/v1/books").await
    }

    /// Puts a tenant under a plan of the measured configuration, or under `none`.
    ///
    /// # Errors
    /// [`ClientError`]; `insufficient_balance` where the plan's fee is not covered.
    pub async fn set_plan(&mut self, tenant: TenantId, plan: &str) -> Result<Balance, ClientError> {
        input::name("a plan's name", plan)?;
        self.channel
            .put("the plan", &format!("/v1/tenants/{tenant}/plan"), &SetPlan { plan: plan.to_owned() })
            .await
    }

    /// Gives a tenant a quota of its own; none is the configuration's. What holds then.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such tenant.
    pub async fn set_quota(&mut self, tenant: TenantId, quota: Option<Quota>) -> Result<Quota, ClientError> {
        self.channel.put("the quota", &format!("/v1/tenants/{tenant}/quota"), &SetQuota { quota }).await
    }

    /// Records money that a tenant paid in. The same reference again records nothing.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where the reference is that of another deposit, or the configuration names no currency.
    pub async fn deposit(
        &mut self,
        tenant: TenantId,
        amount: Amount,
        reference: &str,
    ) -> Result<Recorded, ClientError> {
        self.transfer("the deposit", &format!("/v1/tenants/{tenant}/deposits"), amount, reference).await
    }

    /// Records money that is paid out to a tenant. Once it is, the tenant cannot spend it any more. The same reference again
    /// records nothing.
    ///
    /// # Errors
    /// Those of [`Self::deposit`]; `insufficient_balance` where it is not there.
    pub async fn withdraw(
        &mut self,
        tenant: TenantId,
        amount: Amount,
        reference: &str,
    ) -> Result<Recorded, ClientError> {
        self.transfer("the withdrawal", &format!("/v1/tenants/{tenant}/withdrawals"), amount, reference).await
    }

    async fn transfer(
        &mut self,
        name: &'static str,
        path: &str,
        amount: Amount,
        reference: &str,
    ) -> Result<Recorded, ClientError> {
        self.channel.post(name, path, &Transfer { amount, reference: reference.to_owned() }).await
    }
}
