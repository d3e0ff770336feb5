//! What a tenant sees of its usage and its money. No request of a tenant's moves any.

use r3e_proto::api::billing::{Balance, LedgerPage, Month, UsageReport};

use super::TenantChannel;
use crate::error::ClientError;
use crate::http::answer;

impl TenantChannel {
    /// What the tenant's functions used in a month; in the one that is under way, by the appliance's clock, where none is named.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn usage(&mut self, month: Option<Month>) -> Result<UsageReport, ClientError> {
        let name = "the usage";
        let path = month.map_or_else(|| "/v1/usage".to_owned(), |month| format!("/v1/usage?month={month}"));
        let report: UsageReport = self.get(name, &path).await?;
        match month {
            Some(month) if report.month != month => Err(answer(name, &"it is of another month")),
            _ => Ok(report),
        }
    }

    /// The tenant's plan and balance.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn balance(&mut self) -> Result<Balance, ClientError> {
        self.get("the balance", "/v1/balance").await
    }

    /// Entries of the tenant's ledger after a number, at most `limit`. Each was added up, and follows the one before without a
    /// gap: an appliance that leaves one out, or makes one that does not balance, is found out here.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn ledger(&mut self, after: u64, limit: usize) -> Result<LedgerPage, ClientError> {
        let name = "the ledger";
        let page: LedgerPage = self.get(name, &format!("/v1/ledger?after={after}&limit={limit}")).await?;
        let mut number = after;
        for entry in &page.entries {
            number = number.saturating_add(1);
            if entry.number != number {
                return Err(answer(name, &"an entry is missing"));
            }
            let sum =
                entry.postings.iter().try_fold(0i128, |sum, posting| sum.checked_add(posting.amount.units()));
            if sum != Some(0) {
                return Err(answer(name, &"an entry does not sum to zero"));
            }
        }
        match page.next {
            Some(next) if next != number || page.entries.is_empty() => {
                Err(answer(name, &"its pages do not follow each other"))
            }
            _ => Ok(page),
        }
    }
}
