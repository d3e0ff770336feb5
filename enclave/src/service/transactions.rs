//! Transactions, as the appliance composes them: which chains there are, and how wallets sign.

use std::sync::Arc;

use aws_lc_rs::digest;
use r3e_attester::TrustedClock;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::Grantee;
use r3e_proto::api::transactions::{Call, DEFAULT_TIMEOUT_MS, SendTransaction, Transaction, TransactionPage};
use r3e_proto::api::wallets::{EvmAddress, EvmTransaction, Fee, Hash32, HexBytes, KeyType, Payload, Wei};
use r3e_store::Store;
use r3e_transactions::{
    Asker, BoxFuture, NotSigned, Signer, Submission, TransactionsError, TransactionsParts,
};

use super::chains::Sending;
use super::wallets::{By, Wallets};
use super::{ByWallets, ServiceError};
use crate::limits::MAX_TRANSACTIONS_PAGE;

/// What the names of the appliance's own begin with, those that bring feeds' reports to contracts. No caller gives one.
pub(crate) const OWN_NAMES: &str = "f-";
/// What the names of functions' begin with. No caller gives one.
const FUNCTIONS_NAMES: &str = "x-";
/// The keys of functions on chains like Ethereum.
const KEYS: &str = "r3e/1/function-transaction";
/// Of a digest in hexadecimal: 160 bits.
const FUNCTIONS_NAME_DIGITS: usize = 40;

/// Tenants' transactions.
pub(crate) struct Transactions {
    inner: r3e_transactions::Transactions,
    wallets: Arc<Wallets>,
    clock: TrustedClock,
}

impl Transactions {
    /// Those in the store. They go on from here on.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn start(
        store: &Store,
        clock: &TrustedClock,
        (wallets, signer): (&Arc<Wallets>, &Arc<ByWallets>),
        chains: Sending,
    ) -> Result<Self, ServiceError> {
        let now = clock.clone();
        let inner = r3e_transactions::Transactions::start(TransactionsParts {
            store: store.clone(),
            now_ms: Arc::new(move || now.now_ms()),
            chains: Arc::new(chains),
            signer: Arc::clone(signer) as _,
        })?;
        Ok(Self { inner, wallets: Arc::clone(wallets), clock: clock.clone() })
    }

    /// Has one brought onto its chain.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`], [`ServiceError::Conflict`], [`ServiceError::NotFound`], [`ServiceError::TooMany`]; the store's.
    pub(crate) async fn send(
        &self,
        tenant: TenantId,
        by: &By,
        name: &str,
        request: SendTransaction,
    ) -> Result<Transaction, ServiceError> {
        check_name(name)?;
        self.submit(tenant, by, name, request, false).await
    }

    /// The same for a version of a function, `NAME@VERSION`, once under each key of the function's. What the wallet's policy would deny is denied at once.
    ///
    /// # Errors
    /// As [`Self::send`]; [`ServiceError::Denied`].
    pub(crate) async fn send_for(
        &self,
        tenant: TenantId,
        function: &Grantee,
        key: &str,
        request: SendTransaction,
    ) -> Result<Transaction, ServiceError> {
        let by = By::Function(function.to_string());
        let name = name_of(KEYS, function.function(), key);
        // What was sent already is told as it is, whatever the policy says by now.
        let there = self.inner.show(tenant, &name).await.map(|there| there.function.is_some());
        if !asked_before(&name, there)? {
            let payload = Payload::EvmTransaction(tried(&request));
            self.wallets.judge(tenant, &by, &request.wallet, &payload).await?;
        }
        self.submit(tenant, &by, &name, request, false).await
    }

    /// One that a function asked for, whichever version of it did.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also where somebody else asked for it; the store's.
    pub(crate) async fn shown_to(
        &self,
        tenant: TenantId,
        function: &str,
        name: &str,
    ) -> Result<Transaction, ServiceError> {
        let transaction = self.show(tenant, name).await?;
        only_to(function, name, (transaction.function.clone(), transaction))
    }

    /// The same for the appliance itself, on the tenant's behalf. Once it has ended it is forgotten before others: nobody asks for an older report again.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn send_own(
        &self,
        tenant: TenantId,
        name: &str,
        request: SendTransaction,
    ) -> Result<Transaction, ServiceError> {
        self.submit(tenant, &By::Tenant, name, request, true).await
    }

    async fn submit(
        &self,
        tenant: TenantId,
        by: &By,
        name: &str,
        request: SendTransaction,
        is_brief: bool,
    ) -> Result<Transaction, ServiceError> {
        let SendTransaction { wallet, chain_id, call, timeout_ms } = request;
        let account = account_of(&self.wallets, tenant, &wallet).await?;
        let timeout_ms = timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS);
        let deadline_ms = self.clock.now_ms().saturating_add(timeout_ms);
        let (id, asker) = (name.to_owned(), asker_of(by));
        let submission = Submission { id, wallet, asker, account, chain_id, call, deadline_ms, is_brief };
        Ok(self.inner.submit(tenant, submission).await?)
    }

    /// One of a tenant's.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn show(&self, tenant: TenantId, name: &str) -> Result<Transaction, ServiceError> {
        Ok(self.inner.show(tenant, name).await?)
    }

    /// Some of a tenant's, by name.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<TransactionPage, ServiceError> {
        let limit = limit.clamp(1, MAX_TRANSACTIONS_PAGE);
        let (transactions, next) = self.inner.page(tenant, after, limit).await?;
        Ok(TransactionPage { transactions, next })
    }

    /// Gives one up.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn cancel(&self, tenant: TenantId, name: &str) -> Result<Transaction, ServiceError> {
        Ok(self.inner.cancel(tenant, name).await?)
    }

    /// Gives one up if nothing was signed for it; else it goes on.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn withdraw(&self, tenant: TenantId, name: &str) -> Result<Transaction, ServiceError> {
        Ok(self.inner.withdraw(tenant, name).await?)
    }

    /// Signs and sends nothing more.
    pub(crate) fn close(&self) {
        self.inner.close();
    }
}

/// Whether a function asked for `transaction`, whichever version of it.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub(super) fn only_to<T>(
    function: &str,
    name: &str,
    (asked, transaction): (Option<String>, T),
) -> Result<T, ServiceError> {
    let asked = asked.as_deref().and_then(Grantee::parse);
    if asked.is_some_and(|asked| asked.function() == function) {
        return Ok(transaction);
    }
    Err(ServiceError::NotFound { kind: "transaction", name: name.to_owned() })
}

/// Whether a caller may give one this name.
///
/// # Errors
/// [`ServiceError::Invalid`].
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    for (names, whose) in [(OWN_NAMES, "feeds' reports"), (FUNCTIONS_NAMES, "functions")] {
        if name.starts_with(names) {
            return Err(ServiceError::Invalid(format!(
                "names that begin with {names:?} are those of {whose}"
            )));
        }
    }
    Ok(())
}

/// As a transaction's record has them.
pub(super) fn asker_of(by: &By) -> Asker {
    match by {
        By::Tenant => Asker::Tenant,
        By::ApiKey(id) => Asker::ApiKey(id.clone()),
        By::Function(version) => Asker::Function(version.clone()),
    }
}

/// Whether a function's key was used already, by what is `there` under its name: whether a function asked for that.
///
/// # Errors
/// [`ServiceError::Conflict`]: none did. It is from before such names were kept for functions.
pub(super) fn asked_before(name: &str, there: Result<bool, TransactionsError>) -> Result<bool, ServiceError> {
    match there {
        Err(TransactionsError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(true) => Ok(true),
        Ok(false) => {
            Err(ServiceError::Conflict(format!("{name} is there already, and no function asked for it")))
        }
    }
}

/// What a function's transaction is called: one name for each key, whatever its version. Neither can be told from it. `whose` keys they are: those of
/// each family of chains are keys of their own.
pub(super) fn name_of(whose: &str, function: &str, key: &str) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [whose, function, key] {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    let digest = hex::encode(context.finish());
    format!("{FUNCTIONS_NAMES}{}", digest.get(..FUNCTIONS_NAME_DIGITS).unwrap_or_default())
}

/// What would be signed, at the most that it may cost.
fn tried(request: &SendTransaction) -> EvmTransaction {
    let Call { to, value, data, gas_limit, fee_limit } = request.call.clone();
    let price = Wei(fee_limit.0.checked_div(gas_limit.into()).unwrap_or_default());
    EvmTransaction {
        chain_id: request.chain_id,
        nonce: 0,
        to,
        value,
        data,
        gas_limit,
        fee: Fee::Eip1559 { max_fee_per_gas: price, max_priority_fee_per_gas: Wei(0) },
        access_list: Vec::new(),
    }
}

/// The wallet's account on chains like Ethereum.
async fn account_of(wallets: &Wallets, tenant: TenantId, name: &str) -> Result<EvmAddress, ServiceError> {
    let wallet = wallets.show(tenant, name).await?.wallet;
    if wallet.key_type != KeyType::Secp256k1 {
        return Err(ServiceError::Invalid(format!("the wallet {name:?} has no account on such a chain")));
    }
    wallet.address.parse().map_err(|_| ServiceError::Internal("a wallet's address is none".to_owned()))
}

impl Signer for ByWallets {
    fn sign<'a>(
        &'a self,
        tenant: TenantId,
        by: r3e_transactions::By<'a>,
        account: String,
        payload: Payload,
    ) -> BoxFuture<'a, Result<(Hash32, HexBytes), NotSigned>> {
        Box::pin(self.transaction(tenant, by, account, payload))
    }
}

impl From<TransactionsError> for ServiceError {
    fn from(error: TransactionsError) -> Self {
        let message = error.to_string();
        match error {
            TransactionsError::Invalid(_) | TransactionsError::NoChain(_) => Self::Invalid(message),
            TransactionsError::NotFound(name) => Self::NotFound { kind: "transaction", name },
            TransactionsError::Exists(_) => Self::Conflict(message),
            TransactionsError::TooMany { what, max } => Self::TooMany { what, max },
            TransactionsError::Stopping => Self::Busy(message),
            TransactionsError::Store(error) => Self::Store(error),
            _ => Self::Internal(message),
        }
    }
}
