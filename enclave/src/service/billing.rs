//! Metering, plans and balances: the ledger, as the operator and tenants use it, and as functions are let in by it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use r3e_attester::TrustedClock;
use r3e_functions::limits::MAX_BYTES_OUT;
use r3e_functions::{AdmissionFuture, Admissions, Admitted, NotAdmitted as Refused};
use r3e_ledger::limits::STORAGE_INTERVAL;
use r3e_ledger::{Admission, Charge, Ledger, LedgerError, NotAdmitted, Options, Terms, Transfers as _};
use r3e_proto::api::billing::{
    Balance, Books, LedgerPage, Month, Quota, Recorded, SetPlan, SetQuota, Transfer, UsageReport,
};
use r3e_proto::api::codes;
use r3e_proto::api::functions::{Function, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_store::Store;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{ServiceError, Tenants};
use crate::limits::{MAX_TENANTS, USAGE_WRITE_TIMEOUT};

/// The ledger of all tenants.
pub(crate) struct Billing {
    ledger: Ledger,
    tenants: Arc<Tenants>,
    /// Ends with this, and with it its hold on the state.
    _measuring: JoinSet<()>,
}

impl Billing {
    /// Begins to meter the tenants in `store`, under the configuration's terms. What they keep in storage is looked at for as
    /// long as this lives.
    ///
    /// # Errors
    /// A namespace that is none, which none of ours is.
    pub(crate) fn start(store: &Store, clock: &TrustedClock, terms: &Terms) -> Result<Self, ServiceError> {
        let tenants = Arc::new(Tenants::new(store.clone(), clock.clone())?);
        let time = clock.clone();
        let ledger = Ledger::start(store.clone(), terms.clone(), move || time.now_ms(), Options::default());
        let mut measuring = JoinSet::new();
        measuring.spawn(measure_storage(ledger.clone(), Arc::clone(&tenants)));
        Ok(Self { ledger, tenants, _measuring: measuring })
    }

    /// The tenants.
    pub(crate) fn tenants(&self) -> Arc<Tenants> {
        Arc::clone(&self.tenants)
    }

    /// What lets functions' invocations in.
    pub(crate) fn admissions(&self) -> Arc<dyn Admissions> {
        Arc::new(Metered(self.ledger.clone()))
    }

    /// Writes what was used so far: before the state is handed over, and before the process ends.
    pub(crate) async fn flush(&self) {
        match timeout(USAGE_WRITE_TIMEOUT, self.ledger.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what was used in the last seconds is not written"),
            Err(_) => {
                tracing::warn!("what was used in the last seconds is not written: the store does not answer");
            }
        }
    }

    /// What a tenant used in a month; the one that is under way where none is named.
    pub(crate) async fn usage(
        &self,
        tenant: TenantId,
        month: Option<Month>,
    ) -> Result<UsageReport, ServiceError> {
        Ok(self.ledger.usage(tenant, month).await?)
    }

    /// A tenant's balance and plan.
    pub(crate) async fn balance(&self, tenant: TenantId) -> Result<Balance, ServiceError> {
        Ok(self.ledger.balance(tenant).await?)
    }

    /// A tenant's balance and plan, if there is such a tenant.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn balance_of(&self, tenant: TenantId) -> Result<Balance, ServiceError> {
        self.require(tenant).await?;
        self.balance(tenant).await
    }

    /// A tenant's entries after a number.
    pub(crate) async fn entries(
        &self,
        tenant: TenantId,
        after: u64,
        limit: usize,
    ) -> Result<LedgerPage, ServiceError> {
        Ok(self.ledger.entries(tenant, after, limit).await?)
    }

    /// All accounts together.
    pub(crate) async fn books(&self) -> Result<Books, ServiceError> {
        Ok(self.ledger.books().await?)
    }

    /// Puts a tenant under a plan.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Payment`] where its fee is not covered.
    pub(crate) async fn set_plan(&self, tenant: TenantId, request: SetPlan) -> Result<Balance, ServiceError> {
        self.require(tenant).await?;
        Ok(self.ledger.set_plan(tenant, &request.plan).await?)
    }

    /// Gives a tenant a quota of its own, or the configuration's again.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn set_quota(&self, tenant: TenantId, request: SetQuota) -> Result<Quota, ServiceError> {
        self.require(tenant).await?;
        Ok(self.ledger.set_quota(tenant, request.quota).await?)
    }

    /// Records money that came from outside.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Invalid`], [`ServiceError::Conflict`].
    pub(crate) async fn deposit(
        &self,
        tenant: TenantId,
        transfer: Transfer,
    ) -> Result<Recorded, ServiceError> {
        self.require(tenant).await?;
        Ok(self.ledger.deposit(tenant, transfer).await?)
    }

    /// Records money that goes outside.
    ///
    /// # Errors
    /// Those of [`Self::deposit`]; [`ServiceError::Payment`] where it is not there.
    pub(crate) async fn withdraw(
        &self,
        tenant: TenantId,
        transfer: Transfer,
    ) -> Result<Recorded, ServiceError> {
        self.require(tenant).await?;
        Ok(self.ledger.withdraw(tenant, transfer).await?)
    }

    async fn require(&self, tenant: TenantId) -> Result<(), ServiceError> {
        match self.tenants.find(tenant).await? {
            Some(_) => Ok(()),
            None => Err(ServiceError::NotFound { kind: "tenant", name: tenant.to_string() }),
        }
    }
}

/// Counts from time to time what every tenant keeps.
async fn measure_storage(ledger: Ledger, tenants: Arc<Tenants>) {
    let mut last = Instant::now();
    loop {
        sleep(STORAGE_INTERVAL).await;
        let listed = match tenants.list().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "what tenants keep was not counted; the next time counts for this one");
                continue;
            }
        };
        // The monotonic clock: a jump of the other one is no time that anything was kept.
        let kept_for = Duration::from_secs(last.elapsed().as_secs());
        last = last.checked_add(kept_for).unwrap_or_else(Instant::now);
        for tenant in listed.into_iter().take(MAX_TENANTS) {
            if let Err(error) = ledger.measure_storage(tenant.id, kept_for).await {
                tracing::warn!(%error, tenant = %tenant.id, "what a tenant keeps was not counted");
            }
        }
    }
}

/// The ledger, as what lets functions in.
struct Metered(Ledger);

impl Admissions for Metered {
    fn admit<'a>(&'a self, tenant: TenantId, function: &'a Function) -> AdmissionFuture<'a> {
        Box::pin(async move {
            let charge = Charge {
                tenant,
                function: &function.name,
                limits: &function.limits,
                max_bytes_out: MAX_BYTES_OUT,
            };
            match self.0.admit(&charge).await {
                Ok(admission) => Ok(Box::new(LetIn(admission)) as Box<dyn Admitted>),
                Err(error) => Err(refused(error)),
            }
        })
    }
}

struct LetIn(Admission);

impl Admitted for LetIn {
    fn settle(self: Box<Self>, used: &Usage, failed: bool) {
        self.0.settle(used, failed);
    }
}

fn refused(error: NotAdmitted) -> Refused {
    match error {
        NotAdmitted::Quota { retry_after_s, .. } => Refused::Quota { source: error.into(), retry_after_s },
        NotAdmitted::Balance { .. } => Refused::Balance(error.into()),
        NotAdmitted::NoSuchPlan(_) => Refused::NoSuchPlan(error.into()),
        other => Refused::Unavailable(other.into()),
    }
}

impl From<Refused> for ServiceError {
    fn from(error: Refused) -> Self {
        let message = error.to_string();
        match error {
            Refused::Quota { retry_after_s, .. } => Self::OverQuota { message, retry_after_s },
            Refused::Balance(_) => Self::Payment { code: codes::INSUFFICIENT_BALANCE, message },
            Refused::NoSuchPlan(_) => Self::Payment { code: codes::NO_SUCH_PLAN, message },
            other => {
                tracing::warn!(error = %other, "an invocation was not let in");
                Self::Busy("usage cannot be recorded now; try again".into())
            }
        }
    }
}

impl From<LedgerError> for ServiceError {
    fn from(error: LedgerError) -> Self {
        let message = error.to_string();
        match error {
            LedgerError::Insufficient { .. } => Self::Payment { code: codes::INSUFFICIENT_BALANCE, message },
            LedgerError::NoSuchPlan(_) | LedgerError::Amount | LedgerError::Reference => {
                Self::Invalid(message)
            }
            LedgerError::NoCurrency | LedgerError::ReferenceTaken(_) | LedgerError::PlanInUse => {
                Self::Conflict(message)
            }
            LedgerError::NotReady => Self::Busy(message),
            LedgerError::Unconfirmed => Self::Store(r3e_store::StoreError::Unconfirmed),
            LedgerError::Store(error) => Self::Store(error),
            other => Self::Internal(other.to_string()),
        }
    }
}
