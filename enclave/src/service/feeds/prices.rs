//! What feeds said last, as functions read it.

use std::sync::Arc;

use r3e_feeds::{Feeds, FeedsError, Latest};
use r3e_functions::{LatestPrice, PriceSource, SourceError};
use r3e_proto::api::identity::TenantId;

/// The feeds of all tenants.
pub(crate) struct LatestPrices(pub(crate) Arc<Feeds>);

impl PriceSource for LatestPrices {
    fn latest(&self, tenant: TenantId, feed: &str) -> Result<Option<LatestPrice>, SourceError> {
        match self.0.latest(tenant, feed) {
            Ok(latest) => {
                Ok(latest.map(|Latest { pair, report, is_stale, .. }| LatestPrice { pair, report, is_stale }))
            }
            Err(FeedsError::NotFound(_)) => Ok(None),
            Err(error) => Err(SourceError(error.to_string())),
        }
    }
}
