//! Transactions on Neo N3, as the appliance composes them: which networks there are, and how wallets sign.

use std::sync::Arc;

use r3e_attester::TrustedClock;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::{NeoTransactionPage, SendNeoTransaction, SentNeoTransaction};
use r3e_proto::api::secrets::Grantee;
use r3e_proto::api::transactions::DEFAULT_TIMEOUT_MS;
use r3e_proto::api::wallets::{KeyType, NeoAccount, NeoTransaction, Payload, Wei};
use r3e_proto::wallet::neo_account;
use r3e_store::Store;
use r3e_transactions::{NeoSubmission, TransactionsParts};

use super::chains::NeoSending;
use super::transactions::{asked_before, asker_of, check_name, name_of, only_to};
use super::wallets::{By, Wallets};
use super::{ByWallets, ServiceError};
use crate::limits::MAX_TRANSACTIONS_PAGE;

/// The keys of functions on Neo N3.
const KEYS: &str = "r3e/1/function-neo-transaction";

/// Tenants' transactions on Neo N3.
pub(crate) struct NeoTransactions {
    inner: r3e_transactions::NeoTransactions,
    wallets: Arc<Wallets>,
    clock: TrustedClock,
}

impl NeoTransactions {
    /// Those in the store. They go on from here on.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn start(
        store: &Store,
        clock: &TrustedClock,
        (wallets, signer): (&Arc<Wallets>, &Arc<ByWallets>),
        networks: NeoSending,
    ) -> Result<Self, ServiceError> {
        let now = clock.clone();
        let inner = r3e_transactions::NeoTransactions::start(TransactionsParts {
            store: store.clone(),
            now_ms: Arc::new(move || now.now_ms()),
            chains: Arc::new(networks),
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
        request: SendNeoTransaction,
    ) -> Result<SentNeoTransaction, ServiceError> {
        check_name(name)?;
        self.submit(tenant, by, name, request).await
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
        request: SendNeoTransaction,
    ) -> Result<SentNeoTransaction, ServiceError> {
        let by = By::Function(function.to_string());
        let name = name_of(KEYS, function.function(), key);
        // What was sent already is told as it is, whatever the policy says by now.
        let there = self.inner.show(tenant, &name).await.map(|there| there.function.is_some());
        if !asked_before(&name, there)? {
            let public_key = self.key_of(tenant, &request.wallet).await?;
            self.wallets.judge(tenant, &by, &request.wallet, &tried(&public_key, &request)).await?;
        }
        self.submit(tenant, &by, &name, request).await
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
    ) -> Result<SentNeoTransaction, ServiceError> {
        let transaction = self.show(tenant, name).await?;
        only_to(function, name, (transaction.function.clone(), transaction))
    }

    async fn submit(
        &self,
        tenant: TenantId,
        by: &By,
        name: &str,
        request: SendNeoTransaction,
    ) -> Result<SentNeoTransaction, ServiceError> {
        let SendNeoTransaction { wallet, magic, call, timeout_ms } = request;
        let public_key = self.key_of(tenant, &wallet).await?;
        let timeout_ms = timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS);
        let deadline_ms = self.clock.now_ms().saturating_add(timeout_ms);
        let (id, asker) = (name.to_owned(), asker_of(by));
        let submission = NeoSubmission { id, wallet, asker, public_key, magic, call, deadline_ms };
        Ok(self.inner.submit(tenant, submission).await?)
    }

    /// One of a tenant's.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn show(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<SentNeoTransaction, ServiceError> {
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
    ) -> Result<NeoTransactionPage, ServiceError> {
        let limit = limit.clamp(1, MAX_TRANSACTIONS_PAGE);
        let (transactions, next) = self.inner.page(tenant, after, limit).await?;
        Ok(NeoTransactionPage { transactions, next })
    }

    /// Gives one up: nothing more is signed for it. What was signed before may still come to a block.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store's.
    pub(crate) async fn cancel(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<SentNeoTransaction, ServiceError> {
        Ok(self.inner.cancel(tenant, name).await?)
    }

    /// Signs and sends nothing more.
    pub(crate) fn close(&self) {
        self.inner.close();
    }

    async fn key_of(&self, tenant: TenantId, name: &str) -> Result<[u8; 33], ServiceError> {
        let wallet = self.wallets.show(tenant, name).await?.wallet;
        if wallet.key_type != KeyType::Secp256r1 {
            return Err(ServiceError::Invalid(format!("the wallet {name:?} has no account on Neo N3")));
        }
        let public_key = wallet.public_key.0.as_slice().try_into();
        public_key.map_err(|_| ServiceError::Internal("a wallet's key is none".to_owned()))
    }
}

/// What would be signed, at the most that it may cost.
fn tried(public_key: &[u8; 33], request: &SendNeoTransaction) -> Payload {
    let call = request.call.clone();
    Payload::NeoTransaction(NeoTransaction {
        magic: request.magic,
        nonce: 0,
        sender: NeoAccount(neo_account(public_key)),
        contract: call.contract,
        method: call.method,
        arguments: call.arguments,
        scope: call.scope,
        system_fee: call.fee_limit,
        network_fee: Wei(0),
        valid_until_block: 0,
    })
}
