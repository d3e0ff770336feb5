//! What wallets have brought onto their chains, as a tenant's channel asks for it.

use http::Method;
use r3e_proto::api::anchor::SignedAnchor;
use r3e_proto::api::chains::ChainStatus;
use r3e_proto::api::transactions::{SendTransaction, Transaction, TransactionPage};

use super::{TenantChannel, path};
use crate::error::ClientError;
use crate::http::Body;

const WHAT: &str = "a transaction's name";

impl TenantChannel {
    /// Has a wallet's transaction brought onto its chain, at most once: under a name that there is already, the same is answered as before.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where it breaks a rule, `not_found` where there is no such wallet, `conflict` where the name stands for
    /// something else.
    pub async fn send_transaction(
        &mut self,
        name: &str,
        request: &SendTransaction,
    ) -> Result<Transaction, ClientError> {
        self.request_json("the transaction", Method::PUT, &transaction_path(name)?, request).await
    }

    /// How far the appliance's state is, signed for the contract that remembers it.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where its configuration names no contract.
    pub async fn anchor(&mut self) -> Result<SignedAnchor, ClientError> {
        self.request("the anchor", Method::POST, "/v1/anchor", Body::Empty).await
    }

    /// The networks that the appliance has nodes of, and how far each is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn chains(&mut self) -> Result<Vec<ChainStatus>, ClientError> {
        self.get("the chains", "/v1/chains").await
    }

    /// One transaction, with all that was signed for it.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn transaction(&mut self, name: &str) -> Result<Transaction, ClientError> {
        self.get("the transaction", &transaction_path(name)?).await
    }

    /// Some transactions, by name, those behind `after`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn transactions(&mut self, after: Option<&str>) -> Result<TransactionPage, ClientError> {
        let path = match after {
            Some(name) => path("/v1/transactions?after=", WHAT, name, "")?,
            None => "/v1/transactions".to_owned(),
        };
        self.get("the list of transactions", &path).await
    }

    /// Gives a transaction up: what is out is replaced by nothing. The chain may still take it as it was.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn cancel_transaction(&mut self, name: &str) -> Result<Transaction, ClientError> {
        self.request("the transaction", Method::DELETE, &transaction_path(name)?, Body::Empty).await
    }
}

fn transaction_path(name: &str) -> Result<String, ClientError> {
    path("/v1/transactions/", WHAT, name, "")
}
