//! One look at an account: at what became of what is out, which is written down, and at what those would cost for which nothing was signed;
//! then these are signed, written down, and given to nodes, in this order.

use std::collections::BTreeMap;
use std::sync::Arc;

use r3e_proto::api::wallets::{Hash32, HexBytes, Payload};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Neo;
use super::chain::NeoChain;
use super::entry::{Entry, Learned, Priced};
use super::price::{NotPriced, price};
use crate::book::Inner;
use crate::family::Record as _;
use crate::limits::{ENTRIES_OF_A_COMMIT, NEO_SEND_AGAIN, PRICE_HOLDS, PRICED_AT_ONCE};
use crate::outside::By;
use crate::spaces::Standing;
use crate::work::{Broken, Worker};

/// What was learned of each; what nodes did not say is missing.
type All = BTreeMap<(String, u32), Learned>;

/// One look. Whether another is needed after it.
pub(super) async fn look(inner: &Inner<Neo>, worker: &Arc<Worker<Neo>>) -> Result<bool, Broken> {
    let open = {
        let (standing, is_all) = worker.refreshed(inner).await?;
        if standing.lane.is_idle() {
            return Ok(!is_all);
        }
        standing.lane.entries.clone()
    };
    let all = learn(worker, open, inner.now_ms()).await;
    let (to_send, is_open) = settle(inner, worker, all).await?;
    send(inner, worker, to_send).await?;
    Ok(is_open)
}

/// Asks about all that is out, and about some for which nothing was signed, as far as the tenant's share goes.
async fn learn(worker: &Worker<Neo>, open: Vec<Entry>, now_ms: u64) -> All {
    let (out, mut due): (Vec<_>, Vec<_>) = open.into_iter().partition(|entry| entry.pending().is_some());
    due.retain(|entry| entry.is_due(now_ms));
    // What cannot be signed for long has nothing else wait behind it.
    due.sort_by_key(Entry::tried_ms);
    let mut asked = JoinSet::new();
    for entry in out.into_iter().chain(due.into_iter().take(PRICED_AT_ONCE)) {
        let (chain, turns) = (Arc::clone(&worker.chain), Arc::clone(&worker.turns));
        asked.spawn(async move {
            let _turn = turns.acquire().await;
            let learned = match entry.pending() {
                Some(out) => {
                    chain.find(out.signed.hash, out.signed.valid_until_block).await.map(Learned::Found)
                }
                None => priced(&*chain, &entry, now_ms).await,
            };
            (entry.key(), learned.unwrap_or_else(Learned::HeldUp))
        });
    }
    let mut all = All::new();
    while let Some(learned) = asked.join_next().await {
        all.extend(learned.ok());
    }
    all
}

/// What is to be signed, with what it costs by now.
async fn priced(chain: &dyn NeoChain, entry: &Entry, now_ms: u64) -> Result<Learned, String> {
    let mut transaction = entry.transaction(0);
    let public_key = entry.public_key.0.as_slice().try_into().map_err(|_| "the wallet's key is none")?;
    match price(chain, &mut transaction, public_key, entry.fee_limit()).await {
        Ok(()) => {}
        Err(NotPriced::Refused(why)) => return Ok(Learned::Refused(why)),
        Err(NotPriced::HeldUp(why)) => return Err(why),
    }
    let balance = chain.gas_of(transaction.sender).await?;
    let (pace, at) = (chain.pace().await?, Instant::now());
    let Some(last_block) = entry.last_block(&pace, now_ms) else {
        return Ok(Learned::HeldUp("its deadline is too near for a block".to_owned()));
    };
    transaction.valid_until_block = last_block;
    Ok(Learned::Priced(Box::new(Priced { transaction, balance, at })))
}

/// Writes down what became of them, and signs what is to be signed. Gives what nodes are to have, and whether anything is open.
async fn settle(
    inner: &Inner<Neo>,
    worker: &Worker<Neo>,
    all: All,
) -> Result<(Vec<(Hash32, HexBytes)>, bool), Broken> {
    let mut standing = worker.standing.lock().await;
    standing.refresh(&inner.store, &worker.address).await?;
    loop {
        let changed = changed(&mut standing, &all, inner.now_ms());
        if changed.is_empty() {
            break;
        }
        worker.commit(inner, &mut standing, &changed, 0).await?;
    }
    let mut at_stake = standing.lane.entries.iter().map(Entry::at_stake).fold(0, u128::saturating_add);
    for (key, learned) in all {
        let Learned::Priced(priced) = learned else { continue };
        if *inner.closed.borrow() {
            break;
        }
        let Priced { transaction, balance, at } = *priced;
        let index = standing.lane.entries.iter().position(|entry| entry.key() == key);
        let Some((index, entry)) = index.and_then(|at| Some((at, standing.lane.entries.get_mut(at)?))) else {
            continue;
        };
        if !entry.is_due(inner.now_ms()) || at.elapsed() > PRICE_HOLDS {
            continue;
        }
        let (needed, there) =
            (transaction.fee().0.saturating_add(transaction.sent().0), balance.saturating_sub(at_stake));
        if there < needed {
            entry.waits_for_money(needed, there);
            continue;
        }
        let by = By { wallet: &entry.wallet, asker: entry.asker() };
        let account = worker.address.place.account.to_string();
        let payload = Payload::NeoTransaction(transaction.clone());
        let signed = inner.signer.sign(worker.address.tenant, by, account, payload).await;
        let is_another = match signed {
            Ok((hash, bytes)) => {
                entry.signed(&transaction, hash, bytes, inner.now_ms());
                at_stake = at_stake.saturating_add(needed);
                true
            }
            Err(why) => entry.not_signed(why, inner.now_ms()),
        };
        if is_another {
            worker.commit(inner, &mut standing, &[index], 0).await?;
        }
    }
    let pending =
        standing.lane.entries.iter().filter(|entry| !entry.is_abandoned()).filter_map(Entry::pending);
    let mut to_send = pending.map(|out| (Hash32(out.signed.hash.0), out.bytes.clone())).collect();
    worker.leave_out_sent(&mut to_send, NEO_SEND_AGAIN);
    Ok((to_send, !standing.lane.is_idle()))
}

/// Those that are others by what was learned: as many as one commit has; then there may be more.
fn changed(standing: &mut Standing<Neo>, all: &All, now_ms: u64) -> Vec<usize> {
    let learn = |(index, entry): (usize, &mut Entry)| {
        let learned = all.get(&entry.key());
        entry.learns(learned, now_ms).then_some(index)
    };
    standing.lane.entries.iter_mut().enumerate().filter_map(learn).take(ENTRIES_OF_A_COMMIT).collect()
}

/// Gives nodes what they are to have, all of it at once: one node that is slow makes nothing wait for it twice.
async fn send(
    inner: &Inner<Neo>,
    worker: &Worker<Neo>,
    to_send: Vec<(Hash32, HexBytes)>,
) -> Result<(), Broken> {
    let mut sending = JoinSet::new();
    for (hash, bytes) in to_send {
        if *inner.closed.borrow() {
            break;
        }
        worker.memory(|memory| memory.sent.insert(hash, Instant::now()));
        let (chain, turns) = (Arc::clone(&worker.chain), Arc::clone(&worker.turns));
        sending.spawn(async move {
            let _turn = turns.acquire().await;
            (hash, chain.send(&bytes).await)
        });
    }
    while let Some(sent) = sending.join_next().await {
        let Ok((hash, trouble)) = sent else { continue };
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &worker.address).await?;
        let is_it = |entry: &&mut Entry| entry.pending().is_some_and(|out| out.signed.hash.0 == hash.0);
        if let Some(entry) = standing.lane.entries.iter_mut().find(is_it) {
            entry.told(trouble.as_deref());
        }
    }
    Ok(())
}
