//! One look at an account: at the chain, at what became of what is out, which is written down; then what is wanted is signed, written
//! down, and given to nodes, in this order.

use std::sync::Arc;

use r3e_proto::api::transactions::Kind;
use r3e_proto::api::wallets::{Hash32, HexBytes, Payload};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Evm;
use super::lane::{Answers, Rules, View};
use crate::book::Inner;
use crate::limits::{FILL_AGAIN, MAX_OUT, SEND_AGAIN};
use crate::outside::{Asker, By, Sent};
use crate::work::{Broken, Worker};

/// One look. Whether another is needed after it.
pub(super) async fn look(inner: &Inner<Evm>, worker: &Arc<Worker<Evm>>) -> Result<bool, Broken> {
    let (chain, address) = (&worker.chain, &worker.address);
    let least_height = {
        let (standing, is_all) = worker.refreshed(inner).await?;
        if standing.lane.is_idle() {
            return Ok(!is_all);
        }
        standing.height()
    };
    let rules = chain.rules();
    let view = chain.view(address.place.account).await.map_err(Broken::Nodes)?;
    // A block that is older than one before would show what is in the chain as if it were not.
    let highest = worker.memory(|memory| {
        memory.height = memory.height.max(view.height).max(least_height);
        memory.height
    });
    if highest > view.height {
        return Err(Broken::Nodes("the chain's nodes are behind what they said before".to_owned()));
    }
    let (answers, trouble) = answers(worker, &view, &rules).await;
    let (to_send, is_open) = settle(inner, worker, (&view, &rules), &answers).await?;
    send(inner, worker, (to_send, view.height)).await?;
    trouble.map_or(Ok(is_open), |why| Err(Broken::Nodes(why)))
}

/// What became of what may be in a block by now. Where nodes do not agree on one, the others go on without it.
async fn answers(worker: &Worker<Evm>, view: &View, rules: &Rules) -> (Answers, Option<String>) {
    let asked = worker.standing.lock().await.lane.asks(view, rules);
    let (mut answers, mut trouble) = (Answers::new(), None);
    for hashes in asked {
        for hash in hashes {
            match worker.chain.receipt(hash, *view).await {
                Ok(answer) => {
                    let is_found = answer.is_some();
                    answers.insert(hash, answer);
                    if is_found {
                        break;
                    }
                }
                Err(why) => trouble = Some(why),
            }
        }
    }
    (answers, trouble)
}

/// Gives nodes what they are to have, all of it at once: one node that is slow makes nothing wait for it twice.
async fn send(
    inner: &Inner<Evm>,
    worker: &Arc<Worker<Evm>>,
    (to_send, height): (Vec<(Hash32, HexBytes)>, u64),
) -> Result<(), Broken> {
    let mut sending = JoinSet::new();
    for (hash, bytes) in to_send {
        if *inner.closed.borrow() {
            break;
        }
        worker.memory(|memory| memory.sent.insert(hash, Instant::now()));
        let chain = Arc::clone(&worker.chain);
        sending.spawn(async move { (hash, chain.send(&bytes).await) });
    }
    while let Some(sent) = sending.join_next().await {
        let Ok((hash, said)) = sent else { continue };
        if said != Sent::Taken {
            // At the next look again.
            worker.memory(|memory| memory.sent.remove(&hash));
        }
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &worker.address).await?;
        if let Some(index) = standing.lane.told(hash, &said) {
            worker.commit(inner, &mut standing, &[index], height).await?;
        }
    }
    Ok(())
}

/// Writes down what the chain says, and signs what is wanted. Gives what nodes are to have, and whether anything is open.
async fn settle(
    inner: &Inner<Evm>,
    worker: &Worker<Evm>,
    (view, rules): (&View, &Rules),
    answers: &Answers,
) -> Result<(Vec<(Hash32, HexBytes)>, bool), Broken> {
    let address = &worker.address;
    let mut standing = worker.standing.lock().await;
    standing.refresh(&inner.store, address).await?;
    loop {
        let changed = standing.lane.learns(view, rules, answers, inner.now_ms());
        if changed.is_empty() {
            break;
        }
        // What was reorganised away, nodes may not have any more.
        let gone = changed.iter().filter_map(|index| standing.lane.entries.get(*index)?.pending()?.last());
        let gone: Vec<Hash32> = gone.map(|attempt| attempt.hash).collect();
        worker.memory(|memory| memory.sent.retain(|hash, _| !gone.contains(hash)));
        worker.commit(inner, &mut standing, &changed, view.height).await?;
    }
    if let Some(filler) = may_fill(worker).then(|| standing.lane.filler(view, inner.now_ms())).flatten() {
        standing.lane.entries.push(filler);
        let index = standing.lane.entries.len() - 1;
        worker.commit(inner, &mut standing, &[index], view.height).await?;
        worker.memory(|memory| memory.filled = Some(Instant::now()));
    }
    // Each of those that are out may be replaced, and each place be taken.
    for _ in 0..2 * MAX_OUT {
        if *inner.closed.borrow() {
            break;
        }
        let Some(wanted) = standing.lane.wants(view, rules, inner.now_ms()) else { break };
        let Some(entry) = standing.lane.entries.get(wanted.index) else { break };
        // Whoever asked for it: to give it up is the tenant's own.
        let asker = if wanted.kind == Kind::Call { &entry.asker } else { &Asker::Tenant };
        let by = By { wallet: &entry.wallet, asker };
        let account = address.place.account.to_string();
        let payload = Payload::EvmTransaction(wanted.transaction.clone());
        let signed = inner.signer.sign(address.tenant, by, account, payload).await;
        let is_another = match signed {
            Ok((hash, bytes)) => {
                standing.lane.signed(&wanted, hash, bytes, inner.now_ms());
                true
            }
            Err(why) => standing.lane.not_signed(&wanted, why, inner.now_ms()),
        };
        if is_another {
            worker.commit(inner, &mut standing, &[wanted.index], view.height).await?;
        }
    }
    let mut to_send = standing.lane.to_send(view);
    worker.leave_out_sent(&mut to_send, SEND_AGAIN);
    Ok((to_send, !standing.lane.is_idle()))
}

fn may_fill(worker: &Worker<Evm>) -> bool {
    worker.memory(|memory| memory.filled.is_none_or(|at| at.elapsed() >= FILL_AGAIN))
}
