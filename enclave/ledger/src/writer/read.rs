//! At the start: the records are read and checked, and what a process that ended had set aside is given back.

use r3e_proto::api::identity::TenantId;
use r3e_store::StoreError;

use super::stage::Stage;
use super::{Writer, account_space, is_final};
use crate::account::Account;
use crate::error::LedgerError;
use crate::limits::TENANTS_AT_ONCE;
use crate::state::same_currency;
use crate::usage::decode;

impl Writer {
    /// Reads everything, checks that it is a ledger, and recovers.
    ///
    /// # Errors
    /// [`LedgerError::Closed`]: it is none, or in another currency.
    pub(super) async fn read(&mut self) -> Result<(), LedgerError> {
        let head = self.head().await?;
        self.version = head.as_ref().map(|(_, version)| *version);
        let accounts = self.accounts().await?;
        if let Some((head, _)) = head {
            if !same_currency(head.currency.as_ref(), &self.shared.terms) {
                let kept = head
                    .currency
                    .map(|currency| format!("{} of {} decimals", currency.name, currency.decimals));
                let kept = kept.unwrap_or_default();
                return Err(LedgerError::Closed(format!(
                    "it is kept in {kept}, and the measured configuration names another currency"
                )));
            }
            if !head.totals.balance_with(accounts.iter().map(|(_, account)| account)) {
                return Err(LedgerError::Closed("its accounts do not sum to zero".into()));
            }
            let mut state = self.shared.state();
            let at_ms = state.head.at_ms.max(head.at_ms);
            state.head = head;
            state.head.at_ms = at_ms;
        } else if !accounts.is_empty() {
            return Err(LedgerError::Closed("there are accounts, and no head".into()));
        }
        let tenants: Vec<TenantId> = accounts.iter().map(|(tenant, _)| *tenant).collect();
        {
            let mut state = self.shared.state();
            for (tenant, account) in accounts {
                state.tenant(tenant).account = account;
            }
        }
        for some in tenants.chunks(TENANTS_AT_ONCE) {
            let mut stage = Stage::of(&self.shared);
            for tenant in some {
                stage.recover(*tenant)?;
            }
            // Also where nothing was to be written: what the accounts have open becomes live.
            if stage.is_empty() {
                let head = self.shared.state().head.clone();
                stage.install(head);
            } else {
                self.commit(stage).await?;
            }
        }
        Ok(())
    }

    async fn accounts(&self) -> Result<Vec<(TenantId, Account)>, LedgerError> {
        loop {
            match self.try_accounts().await {
                Err(error) if !is_final(&error) => self.pause().await?,
                read => return read,
            }
        }
    }

    async fn try_accounts(&self) -> Result<Vec<(TenantId, Account)>, LedgerError> {
        let (space, store) = (account_space()?, &self.shared.store);
        let mut accounts = Vec::new();
        for record in store.scan_all(&space)? {
            let id = record.key.parse();
            let id: TenantId = id.map_err(|_| LedgerError::Closed("an account is nobody's".into()))?;
            let Some(found) = store.get(&space, &record.key).await? else {
                return Err(StoreError::Busy.into());
            };
            accounts.push((id, decode(found.value.as_bytes())?));
        }
        Ok(accounts)
    }
}
