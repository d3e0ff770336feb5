//! Verifiable random numbers for tenants and their functions.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attester::Attester;
use r3e_functions::{RandomError, RandomFuture, RandomSource, SourceError};
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::random::{Random, RandomKey};
use r3e_proto::api::wallets::HexBytes;
use r3e_proto::channel::statement::Statement;
use r3e_proto::random::Occasion;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::ServiceError;
use super::tenant_keys::{AttestedKeyError, TenantKeys};
use super::turns::Turns;
use crate::limits::{MAX_WAITING_FOR_RANDOM, RANDOM_AT_ONCE};

/// What draws random numbers, each tenant's with a key of its own.
pub(crate) struct Randomness {
    keys: TenantKeys<r3e_keys::RandomKey>,
    /// Of one tenant one at a time.
    lines: Turns<TenantId>,
    turns: Arc<Semaphore>,
}

impl Randomness {
    pub(crate) fn new(root: Arc<RootSecret>, attester: Attester) -> Self {
        let keys = TenantKeys::new(root, attester, r3e_keys::RandomKey::of);
        Self {
            keys,
            lines: Turns::new(MAX_WAITING_FOR_RANDOM),
            turns: Arc::new(Semaphore::new(RANDOM_AT_ONCE)),
        }
    }

    /// A tenant's key, with a document that names it.
    ///
    /// # Errors
    /// [`AttestedKeyError`].
    pub(crate) async fn attested(&self, tenant: TenantId) -> Result<RandomKey, AttestedKeyError> {
        let key = self.keys.of(tenant)?.public_key();
        let statement = Statement::RandomKey { tenant: tenant.0, key };
        let document = STANDARD.encode(self.keys.document(tenant, &statement).await?);
        Ok(RandomKey { tenant, key: HexBytes(key.to_vec()), document })
    }

    /// The number from `min` to `max` for this occasion, always the same.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`]: the range or the seed breaks a rule. [`ServiceError::Busy`]: as many of the tenant's wait as may.
    pub(crate) async fn draw(
        &self,
        tenant: TenantId,
        occasion: Occasion,
        min: u64,
        max: u64,
    ) -> Result<Random, ServiceError> {
        let internal = |what: &dyn std::fmt::Display| ServiceError::Internal(what.to_string());
        let key = self.keys.of(tenant).map_err(|error| internal(&error))?;
        let mine = self.lines.take(tenant).await?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| internal(&error))?;
        // Some milliseconds' work, for which nobody else should wait. Its turns end with it, also where nobody waits for it any more.
        let work = move || {
            let drawn = key.draw(&occasion, min, max);
            drop((mine, turn));
            drawn
        };
        let drawn = spawn_blocking(work).await;
        drawn.map_err(|error| internal(&error))?.map_err(|error| match error {
            KeyError::Range(_) | KeyError::Occasion(_) => ServiceError::Invalid(error.to_string()),
            error => internal(&error),
        })
    }
}

impl RandomSource for Randomness {
    fn draw(&self, tenant: TenantId, occasion: Occasion, min: u64, max: u64) -> RandomFuture<'_> {
        Box::pin(async move {
            self.draw(tenant, occasion, min, max).await.map_err(|error| match error {
                ServiceError::Invalid(why) => RandomError::Invalid(why),
                error => RandomError::Unavailable(SourceError(error.to_string())),
            })
        })
    }
}
