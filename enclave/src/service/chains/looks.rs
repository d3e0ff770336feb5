//! What a tenant is shown of networks: how far each is, and what an account has there. Answers are shared with triggers', so that whoever
//! asks again and again does not have nodes asked each time.

use std::future::Future;
use std::sync::Arc;

use r3e_chain::evm::{EvmAccounts, EvmAddress};
use r3e_chain::neo::NeoCalls;
use r3e_chain::rpc::QuorumError;
use r3e_chain::watch::{Network, Watch};
use r3e_neo::Hash160;
use r3e_proto::api::chains::{ChainStatus, Funds};
use r3e_proto::api::wallets::{KeyType, Wallet, Wei};
use r3e_triggers::NotRead;
use tokio::task::JoinSet;

use super::{Chains, Followed, in_words};

/// Who has something on networks of a kind.
#[derive(Debug, Clone, Copy)]
enum Account {
    Evm(EvmAddress),
    Neo(Hash160),
}

impl Account {
    /// A wallet's; none where its key is of no network's kind.
    fn of(wallet: &Wallet) -> Option<Self> {
        match wallet.key_type {
            KeyType::Secp256k1 => wallet.address.parse().ok().map(Self::Evm),
            KeyType::Secp256r1 => r3e_neo::parse_address(&wallet.address).ok().map(Self::Neo),
            KeyType::Ed25519 => None,
        }
    }
}

impl Chains {
    /// Each network, and the height that enough of its nodes have reached.
    pub(crate) async fn status(self: &Arc<Self>) -> Vec<ChainStatus> {
        let ask = |network: Network, followed: Arc<Followed>| async move {
            let height = followed.look(Watch::blocks(network), |_, height| async move { Ok(height) }).await;
            let (height, trouble) = apart(height);
            let (nodes, agree) = (followed.nodes.endpoints(), followed.nodes.needed());
            Some(ChainStatus { network: network.to_string(), nodes, agree, height, trouble })
        };
        self.each(ask).await
    }

    /// What a wallet's account has on each network of its kind.
    pub(crate) async fn funds(self: &Arc<Self>, wallet: &Wallet) -> Vec<Funds> {
        let Some(account) = Account::of(wallet) else { return Vec::new() };
        let shown = wallet.address.clone();
        let ask = |network: Network, followed: Arc<Followed>| {
            let shown = shown.clone();
            async move {
                let watch = Watch::blocks(network);
                let balance = match (network, account) {
                    (Network::Eip155(_), Account::Evm(account)) => {
                        let ask = |it: Arc<Followed>, height| async move {
                            EvmAccounts::new(&it.nodes).balance(account, height).await
                        };
                        followed.look(watch, ask).await
                    }
                    (Network::NeoN3(_), Account::Neo(account)) => {
                        let ask = |it: Arc<Followed>, _| async move {
                            NeoCalls::new(&it.nodes).gas_of(account).await
                        };
                        followed.look(watch, ask).await
                    }
                    _ => return None,
                };
                let (balance, trouble) = apart(balance.map(Wei));
                Some(Funds { network: network.to_string(), account: shown, balance, trouble })
            }
        };
        self.each(ask).await
    }

    /// Asks all networks at the same time.
    async fn each<T, F>(self: &Arc<Self>, ask: impl Fn(Network, Arc<Followed>) -> F) -> Vec<T>
    where
        T: Send + 'static,
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let mut asked = JoinSet::new();
        for (at, (network, followed)) in self.0.iter().enumerate() {
            let answer = ask(*network, Arc::clone(followed));
            asked.spawn(async move { (at, answer.await) });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().filter_map(|(_, answer)| answer).collect()
    }
}

impl Followed {
    /// One look, at the height that enough nodes have reached.
    async fn look<T, F>(
        self: &Arc<Self>,
        watch: Watch,
        ask: impl FnOnce(Arc<Self>, u64) -> F,
    ) -> Result<T, String>
    where
        F: Future<Output = Result<T, QuorumError>>,
    {
        let _turn = self.looks.acquire().await.map_err(|_| "the appliance stops".to_owned())?;
        let height = self.height(&watch).await.map_err(|error| match error {
            NotRead::Unavailable(why) | NotRead::Stuck(why) | NotRead::Reorganised { why, .. } => why,
        })?;
        ask(Arc::clone(self), height).await.map_err(|error| in_words(&error))
    }
}

fn apart<T>(answer: Result<T, String>) -> (Option<T>, Option<String>) {
    match answer {
        Ok(answer) => (Some(answer), None),
        Err(why) => (None, Some(why)),
    }
}
