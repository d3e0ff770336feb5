//! Feeds, as the appliance composes them: how venues are asked, who may act, and who signs.

mod batches;
mod keys;
mod prices;
mod venues;

use std::sync::Arc;

use r3e_attester::TrustedClock;
use r3e_feeds::{BoxFuture, Feeds, FeedsError, FeedsParts, Kept, Signer};
use r3e_proto::api::feeds::{Signature, Target};
use r3e_proto::api::identity::{TenantId, TenantState};
use r3e_store::Store;
use r3e_transport::EnclaveTransport;

pub(crate) use self::batches::batch;
pub(crate) use self::keys::OracleKeys;
pub(crate) use self::prices::LatestPrices;
use self::venues::Venues;
use super::egress::open_egress;
use super::{ServiceError, Tenants};
use crate::configuration::Configuration;

/// What feeds meet.
pub(crate) struct FeedsFrom<'a> {
    pub(crate) store: &'a Store,
    pub(crate) transport: &'a EnclaveTransport,
    pub(crate) configuration: &'a Configuration,
    pub(crate) clock: &'a TrustedClock,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) keys: &'a Arc<OracleKeys>,
}

/// The feeds in the store. They have their rounds from here on.
///
/// # Errors
/// The store's; [`ServiceError::Internal`]: there is no way out.
pub(crate) async fn start_feeds(from: FeedsFrom<'_>) -> Result<Feeds, ServiceError> {
    let FeedsFrom { store, transport, configuration, clock, tenants, keys } = from;
    let now = clock.clone();
    let feeds = Feeds::start(FeedsParts {
        store: store.clone(),
        now_ms: Arc::new(move || now.now_ms()),
        // A way out of its own: venues that say nothing take no connection from functions.
        web: Arc::new(Venues::new(open_egress(transport.clone(), configuration, clock)?)),
        tenants: Arc::new(Admitted(tenants)),
        signer: Arc::new(BySecret(Arc::clone(keys))),
    });
    Ok(feeds.await?)
}

/// Who was admitted.
struct Admitted(Arc<Tenants>);

impl r3e_feeds::Tenants for Admitted {
    fn is_active(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move {
            let found = self.0.find(tenant).await.map_err(|error| {
                tracing::warn!(%error, "a feed could not look its tenant up");
                "the appliance cannot look the tenant up now; the next round tries again".to_owned()
            })?;
            Ok(found.is_some_and(|tenant| tenant.state == TenantState::Active))
        })
    }
}

/// The tenants' oracle keys.
struct BySecret(Arc<OracleKeys>);

impl Signer for BySecret {
    fn sign(&self, tenant: TenantId, target: &Target, report: &Kept) -> Result<Signature, String> {
        self.0.sign(tenant, target, report).map_err(|error| error.to_string())
    }
}

impl From<FeedsError> for ServiceError {
    fn from(error: FeedsError) -> Self {
        let message = error.to_string();
        match error {
            FeedsError::Invalid(_) => Self::Invalid(message),
            FeedsError::NotFound(name) => Self::NotFound { kind: "feed", name },
            FeedsError::NoReport(what) => Self::NotFound { kind: "report", name: what.to_owned() },
            FeedsError::TooMany { what, max } => Self::TooMany { what, max },
            FeedsError::Full => Self::NoRoom(message),
            FeedsError::Unavailable(_) | FeedsError::Stopping => Self::Busy(message),
            FeedsError::Store(error) => Self::Store(error),
            _ => Self::Internal(message),
        }
    }
}
