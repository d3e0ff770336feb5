//! A chain like Ethereum, as its nodes agree on it.

use std::time::Duration;

use r3e_chain::evm::{EvmAccounts, Quantity};
use r3e_chain::rpc::{Quorum, QuorumError, RpcError, Transport};
use r3e_chain::watch::Network;
use r3e_proto::api::transactions::Fees;
use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes, Wei};
use tokio::sync::OnceCell;

use super::lane::{Receipt, Rules, View};
use super::said::{Refusal, refusal};
use crate::outside::{BoxFuture, Chain, Sent};

/// A chain like Ethereum.
pub struct EvmChain<T> {
    nodes: Quorum<T>,
    chain_id: u64,
    rules: Rules,
    pause: Duration,
    /// The nodes were asked which chain they are of, and it is this one.
    is_right: OnceCell<()>,
}

impl<T: Transport> EvmChain<T> {
    /// The chain of this id, whose `nodes` are asked every `pause`.
    pub fn new(nodes: Quorum<T>, chain_id: u64, rules: Rules, pause: Duration) -> Self {
        Self { nodes, chain_id, rules, pause, is_right: OnceCell::new() }
    }

    async fn look(&self, account: EvmAddress) -> Result<View, String> {
        let words = |error: QuorumError| error.to_string();
        let accounts = EvmAccounts::new(&self.nodes);
        let height = accounts.height().await.map_err(words)?;
        let found = accounts.account(account, height, self.rules.confirmations).await.map_err(words)?;
        let base_fee = found.header.base_fee.as_ref().and_then(Quantity::to_u128);
        let base_fee =
            base_fee.ok_or("the chain has no prices as of EIP-1559, by which transactions are made here")?;
        let tip = u128::from(accounts.tip().await.map_err(words)?);
        // The base fee rises by an eighth a block at the most: this is enough for five full ones.
        let max = base_fee.saturating_mul(2).saturating_add(tip);
        Ok(View {
            height,
            block: found.header.hash,
            count: found.count,
            final_count: found.final_count,
            base_fee: Wei(base_fee),
            fees: Fees { max: Wei(max), tip: Wei(tip) },
        })
    }

    async fn check(&self) -> Result<(), String> {
        let network = Network::Eip155(self.chain_id);
        let watch = r3e_chain::watch::Watch::blocks(network);
        let checked = self.is_right.get_or_try_init(|| watch.check_network(&self.nodes)).await;
        checked.map_err(|error| error.to_string()).copied()
    }
}

impl<T: Transport + 'static> Chain for EvmChain<T> {
    fn rules(&self) -> Rules {
        self.rules
    }

    fn pause(&self) -> Duration {
        self.pause
    }

    fn view(&self, account: EvmAddress) -> BoxFuture<'_, Result<View, String>> {
        Box::pin(async move {
            self.check().await?;
            self.look(account).await
        })
    }

    fn receipt(&self, hash: Hash32, view: View) -> BoxFuture<'_, Result<Option<Receipt>, String>> {
        Box::pin(async move {
            let found = EvmAccounts::new(&self.nodes).receipt(hash, view.height, view.block).await;
            let receipt = found.map_err(|error| error.to_string())?.map(|found| Receipt {
                hash: found.transaction,
                height: found.height,
                block: found.block,
                succeeded: found.succeeded,
                gas_used: found.gas_used,
            });
            Ok(receipt)
        })
    }

    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            let accounts = EvmAccounts::new(&self.nodes);
            together(&accounts.send(bytes).await, accounts.needed())
        })
    }
}

/// What all of them say: one that has it is enough, and a reason counts where enough give it.
fn together(said: &[Result<(), RpcError>], needed: usize) -> Sent {
    let why = |error: &RpcError| match error {
        RpcError::Node { message, .. } => refusal(message),
        _ => Refusal::Other,
    };
    let reasons: Vec<(Refusal, &RpcError)> =
        said.iter().filter_map(|said| said.as_ref().err()).map(|error| (why(error), error)).collect();
    let is_taken = reasons.len() < said.len() || reasons.iter().any(|(reason, _)| *reason == Refusal::Known);
    if is_taken {
        return Sent::Taken;
    }
    let count = |wanted: Refusal| reasons.iter().filter(|(reason, _)| *reason == wanted).count();
    // "Something else" is no reason that two give.
    let is_agreed = |reason: Refusal| reason != Refusal::Other && count(reason) >= needed;
    match reasons.iter().find(|(reason, _)| is_agreed(*reason)) {
        Some((reason, error)) => Sent::Refused(*reason, error.to_string()),
        None => Sent::Unknown(reasons.first().map(|(_, error)| error.to_string()).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(message: &str) -> Result<(), RpcError> {
        Err(RpcError::Node { code: -32_000, message: message.to_owned() })
    }

    #[test]
    fn one_that_has_it_is_enough_and_one_that_lies_is_not() {
        let silent = || Err(RpcError::Status { status: 502 });
        assert_eq!(together(&[node("intrinsic gas too low"), Ok(()), silent()], 2), Sent::Taken);
        assert_eq!(together(&[node("already known"), silent(), silent()], 2), Sent::Taken);
        let lied = together(&[node("intrinsic gas too low"), silent(), silent()], 2);
        assert!(matches!(lied, Sent::Unknown(_)), "{lied:?}");
        let refused = together(&[silent(), node("FeeTooLow"), node("transaction underpriced")], 2);
        assert!(matches!(refused, Sent::Refused(Refusal::Underpriced, _)), "{refused:?}");
    }
}
