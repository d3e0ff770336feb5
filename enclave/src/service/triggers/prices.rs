//! Price feeds, as triggers meet them.

use std::sync::Arc;

use r3e_feeds::{Feeds, FeedsError};
use r3e_jobs::BoxFuture;
use r3e_proto::api::identity::TenantId;
use r3e_proto::report::Report;
use r3e_triggers::News;

/// The feeds of all tenants.
pub(super) struct Prices(pub(super) Arc<Feeds>);

impl r3e_triggers::Prices for Prices {
    fn last<'a>(&'a self, tenant: TenantId, feed: &'a str) -> BoxFuture<'a, Result<Option<u64>, String>> {
        Box::pin(async move { found(self.0.show(tenant, feed).await.map(|feed| feed.sequence)) })
    }

    fn behind<'a>(
        &'a self,
        tenant: TenantId,
        feed: &'a str,
        sequence: u64,
    ) -> BoxFuture<'a, Result<Option<Vec<Report>>, String>> {
        Box::pin(async move { found(self.0.behind(tenant, feed, sequence).await) })
    }

    fn wait<'a>(&'a self, tenant: TenantId, feed: &'a str, news: News) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            match news {
                News::Feed => self.0.appears(tenant, feed).await,
                News::Behind(sequence) => {
                    // It ends with the feed.
                    if let Ok(mut told) = self.0.follow(tenant, feed) {
                        drop(told.wait_for(|told| *told > sequence).await);
                    }
                }
            }
        })
    }
}

/// What there is of a feed. An error's cause is the operator's business.
fn found<T>(read: Result<T, FeedsError>) -> Result<Option<T>, String> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(FeedsError::NotFound(_)) => Ok(None),
        Err(error) => {
            tracing::warn!(%error, "a trigger could not read a feed");
            Err("the appliance cannot read the feed now; it tries again".to_owned())
        }
    }
}
