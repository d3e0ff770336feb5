//! The first event of a function that is not loaded, while a process waits for a function: that loads it and handles the event
//! itself, rather than load it and then make a copy of itself. Once the event is answered, the function is loaded for its next events.
//!
//! So the function is loaded twice, and whoever asked waited for neither the copy nor what is measured of the original.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use r3e_runner_api::Purpose;

use super::config::{FunctionKey, Limits};
use super::engines::{Code, Engine};
use super::error::InvocationError;
use super::exchange::{Account, Exchange};
use super::kept::Kept;
use super::leases::Lease;
use super::memory::charge_mib;
use super::pool::Inner;
use super::run::why;

/// Functions whose first event is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Firsts(Arc<Mutex<HashSet<FunctionKey>>>);

/// One of them, until this is dropped.
#[derive(Debug)]
pub(super) struct First {
    firsts: Firsts,
    key: FunctionKey,
}

/// What is to be loaded, of its own.
pub(super) struct Wanted {
    pub(super) lease: Lease,
    pub(super) engine: Engine,
    pub(super) source: String,
    pub(super) limits: Limits,
}

impl Firsts {
    /// Nothing, if an event is its function's first already: the others wait until it is loaded for all of them.
    pub(super) fn begin(&self, key: &FunctionKey) -> Option<First> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| First { firsts: self.clone(), key: key.clone() })
    }
}

impl First {
    /// Loads the function for its next events, beside everything else. Whoever comes meanwhile waits for it, or does it.
    pub(super) fn load_for_others(self, inner: &Arc<Inner>, wanted: Wanted) {
        let weak = Arc::downgrade(inner);
        tokio::spawn(async move {
            let Some(inner) = weak.upgrade() else { return };
            if let Err(error) = load(&inner, &self.key, wanted).await {
                let FunctionKey { tenant, version } = &self.key;
                tracing::debug!(%tenant, %version, %error, "a function was not loaded ahead of its next event");
            }
        });
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.firsts.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Takes what an event of the tenant's would take for it.
async fn load(inner: &Inner, key: &FunctionKey, wanted: Wanted) -> Result<(), InvocationError> {
    let Wanted { lease, engine, source, limits } = wanted;
    let _tenant = inner.tenant_slot(&key.tenant).await?;
    let mib = charge_mib(limits.memory_mib);
    let _tenant_memory = inner.tenant_memory.enter_with(&key.tenant, mib).await?;
    let _slot = inner.appliance_slot(&key.tenant).await?;
    let _loading = inner.loading.enter(key).await?;
    if !lease.holds_for(&key.tenant) || inner.kept.family(key, &limits).is_some() {
        return Ok(());
    }
    let mut blank = Kept::blank(&inner.kept, engine, mib).await?;
    match Exchange::new(&mut blank, &limits, &mut Account::default()).load(&source, Purpose::Copies).await {
        Ok(()) => inner.kept.settle(&lease, key, blank).map(drop).map_err(InvocationError::from),
        Err(broken) => Err(why(broken, blank).await),
    }
}

impl Wanted {
    /// Of what an event was asked with.
    pub(super) fn new(lease: &Lease, code: Code<'_>, limits: &Limits) -> Self {
        Self { lease: lease.clone(), engine: code.engine, source: code.source.to_owned(), limits: *limits }
    }
}
