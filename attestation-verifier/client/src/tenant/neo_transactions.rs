//! What wallets have brought onto networks of Neo N3, as a tenant's channel asks for it.

use http::Method;
use r3e_proto::api::neo_transactions::{NeoTransactionPage, SendNeoTransaction, SentNeoTransaction};

use super::{TenantChannel, path};
use crate::error::ClientError;
use crate::http::Body;

const WHAT: &str = "a transaction's name";

impl TenantChannel {
    /// Has a wallet's transaction brought onto its network, at most once: under a name that there is already, the same is answered as before.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where it breaks a rule, `not_found` where there is no such wallet, `conflict` where the name stands for
    /// something else.
    pub async fn send_neo_transaction(
        &mut self,
        name: &str,
        request: &SendNeoTransaction,
    ) -> Result<SentNeoTransaction, ClientError> {
        self.request_json("the transaction", Method::PUT, &transaction_path(name)?, request).await
    }

    /// One transaction, with what was signed for it.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn neo_transaction(&mut self, name: &str) -> Result<SentNeoTransaction, ClientError> {
        self.get("the transaction", &transaction_path(name)?).await
    }

    /// Some transactions, by name, those behind `after`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn neo_transactions(&mut self, after: Option<&str>) -> Result<NeoTransactionPage, ClientError> {
        let path = match after {
            Some(name) => path("/v1/neo-transactions?after=", WHAT, name, "")?,
            None => "/v1/neo-transactions".to_owned(),
        };
        self.get("the list of transactions", &path).await
    }

    /// Gives a transaction up: nothing more is signed for it. The chain may still take what was, until its last block.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn cancel_neo_transaction(&mut self, name: &str) -> Result<SentNeoTransaction, ClientError> {
        self.request("the transaction", Method::DELETE, &transaction_path(name)?, Body::Empty).await
    }
}

fn transaction_path(name: &str) -> Result<String, ClientError> {
    path("/v1/neo-transactions/", WHAT, name, "")
}
