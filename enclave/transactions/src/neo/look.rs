//! One look at an account: at what became of what is out, which is written down, and at what those would cost for which nothing was signed;
//! then these are signed, written down, and given to nodes, in this order.

use std::collections::BTreeMap;
use std::sync::Arc;

use r3e_proto::api::wallets::{Hash32, Payload};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::Neo;
use super::chain::NeoChain;
use super::entry::{Entry, Learned, Priced};
use super::price::{NotPriced, price};
use crate::book::Inner;
use crate::family::Record as _;
use crate::limits::{ENTRIES_OF_A_COMMIT, NEO_LOOK, NEO_SEND_AGAIN, PRICE_HOLDS, PRICED_AT_ONCE};
use crate::outside::{BoxFuture, By};
use crate::spaces::Standing;
use crate::work::{Broken, Worker};

/// What was learned of each; what nodes did not say is missing.
type All = BTreeMap<(String, u32), Learned>;

/// What is asked about one.
type Question = for<'a> fn(&'a dyn NeoChain, &'a Entry) -> BoxFuture<'a, Result<Learned, String>>;

/// One look. Whether another is needed after it.
pub(super) async fn look(inner: &Inner<Neo>, worker: &Arc<Worker<Neo>>) -> Result<bool, Broken> {
    let is_all = {
        let (standing, is_all) = worker.refreshed(inner).await?;
        if standing.lane.is_idle() {
            return Ok(!is_all);
        }
        is_all
    };
    // Deadlines come, whatever nodes say.
    let mut open = settle(inner, worker, All::new()).await?;
    let out = open.iter().filter(|entry| entry.pending().is_some()).cloned().collect();
    let found = learn(worker, out, |chain, entry| Box::pin(found(chain, entry))).await;
    // What they have lost or spent is known before others are signed.
    open = settle(inner, worker, found).await?;
    open.retain(|entry| entry.is_due(inner.now_ms()));
    open.sort_by_key(Entry::tried_ms);
    // What cannot be signed for long has nothing else wait behind it.
    open.truncate(PRICED_AT_ONCE);
    let priced = learn(worker, open, |chain, entry| Box::pin(priced(chain, entry))).await;
    open = settle(inner, worker, priced).await?;
    let is_open = !open.is_empty();
    send(inner, worker, open).await?;
    Ok(is_open || !is_all)
}

/// Asks about them as far as the tenant's share and the time go: those first that were asked about longest ago.
async fn learn(worker: &Worker<Neo>, mut entries: Vec<Entry>, question: Question) -> All {
    entries.sort_by_key(Entry::tried_ms);
    let (mut all, mut asked) = (All::new(), JoinSet::new());
    let asking = async {
        for entry in entries {
            let Ok(turn) = Arc::clone(&worker.turns).acquire_owned().await else { break };
            while let Some(Ok((key, learned))) = asked.try_join_next() {
                all.insert(key, learned);
            }
            let chain = Arc::clone(&worker.chain);
            asked.spawn(async move {
                let learned = question(&*chain, &entry).await;
                drop(turn);
                (entry.key(), learned.unwrap_or_else(Learned::HeldUp))
            });
        }
        while let Some(Ok((key, learned))) = asked.join_next().await {
            all.insert(key, learned);
        }
    };
    // What was not answered by then is dropped, and asked about first in the next look.
    drop(timeout(NEO_LOOK, asking).await);
    all
}

/// What became of what was signed.
async fn found(chain: &dyn NeoChain, entry: &Entry) -> Result<Learned, String> {
    let Some(out) = entry.pending() else { return Err("nothing was signed for it".to_owned()) };
    chain.find(out.signed.hash, out.signed.valid_until_block).await.map(Learned::Found)
}

/// What is to be signed, with what it costs by now.
async fn priced(chain: &dyn NeoChain, entry: &Entry) -> Result<Learned, String> {
    let mut transaction = entry.transaction();
    let public_key = entry.public_key.0.as_slice().try_into().map_err(|_| "the wallet's key is none")?;
    match price(chain, &mut transaction, public_key, entry.fee_limit()).await {
        Ok(()) => {}
        Err(NotPriced::Refused(why)) => return Ok(Learned::Refused(why)),
        Err(NotPriced::Dear(why)) => return Ok(Learned::Dear(why)),
        Err(NotPriced::HeldUp(why)) => return Err(why),
    }
    let balance = chain.gas_of(transaction.sender).await?;
    let pace = chain.pace().await?;
    Ok(Learned::Priced(Box::new(Priced { transaction, pace, balance, at: Instant::now() })))
}

/// Writes down what became of them, and signs what is to be signed. Gives those that are open.
async fn settle(inner: &Inner<Neo>, worker: &Worker<Neo>, all: All) -> Result<Vec<Entry>, Broken> {
    let mut standing = worker.standing.lock().await;
    standing.refresh(&inner.store, &worker.address).await?;
    loop {
        let changed = changed(&mut standing, &all, inner.now_ms());
        if changed.is_empty() {
            break;
        }
        worker.commit(inner, &mut standing, &changed, 0).await?;
    }
    // Most looks have nothing to sign.
    if !all.values().any(|learned| matches!(learned, Learned::Priced(_))) {
        return Ok(standing.lane.entries.clone());
    }
    let mut at_stake = standing.lane.entries.iter().map(Entry::at_stake).fold(0, u128::saturating_add);
    for (key, learned) in all {
        let Learned::Priced(priced) = learned else { continue };
        if *inner.closed.borrow() {
            break;
        }
        let Priced { mut transaction, pace, balance, at } = *priced;
        let index = standing.lane.entries.iter().position(|entry| entry.key() == key);
        let Some((index, entry)) = index.and_then(|at| Some((at, standing.lane.entries.get_mut(at)?))) else {
            continue;
        };
        // What took too long is asked about again.
        if !entry.is_due(inner.now_ms()) || at.elapsed() > PRICE_HOLDS {
            continue;
        }
        let Some(last_block) = entry.last_block(&pace, inner.now_ms()) else {
            entry.waits_for_nothing();
            continue;
        };
        transaction.valid_until_block = last_block;
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
    Ok(standing.lane.entries.clone())
}

/// Those that are others by what was learned: as many as one commit has; then there may be more.
fn changed(standing: &mut Standing<Neo>, all: &All, now_ms: u64) -> Vec<usize> {
    let learn = |(index, entry): (usize, &mut Entry)| {
        let learned = all.get(&entry.key());
        entry.learns(learned, now_ms).then_some(index)
    };
    standing.lane.entries.iter_mut().enumerate().filter_map(learn).take(ENTRIES_OF_A_COMMIT).collect()
}

/// Gives nodes what they are to have: first what they were never given.
async fn send(inner: &Inner<Neo>, worker: &Worker<Neo>, open: Vec<Entry>) -> Result<(), Broken> {
    let pending = open.iter().filter(|entry| !entry.is_abandoned()).filter_map(Entry::pending);
    let mut to_send: Vec<_> = pending.map(|out| (Hash32(out.signed.hash.0), out.bytes.clone())).collect();
    let was_sent = |hash: &Hash32| worker.memory(|memory| memory.sent.contains_key(hash));
    to_send.sort_by_key(|(hash, _)| was_sent(hash));
    worker.leave_out_sent(&mut to_send, NEO_SEND_AGAIN);
    let mut sending = JoinSet::new();
    let giving = async {
        for (hash, bytes) in to_send {
            let Ok(turn) = Arc::clone(&worker.turns).acquire_owned().await else { break };
            if *inner.closed.borrow() {
                break;
            }
            worker.memory(|memory| memory.sent.insert(hash, Instant::now()));
            let chain = Arc::clone(&worker.chain);
            sending.spawn(async move {
                let trouble = chain.send(&bytes).await;
                drop(turn);
                (hash, trouble)
            });
        }
        let mut told = Vec::new();
        while let Some(sent) = sending.join_next().await {
            told.extend(sent.ok());
        }
        told
    };
    let told = timeout(NEO_LOOK, giving).await.unwrap_or_default();
    let mut standing = worker.standing.lock().await;
    standing.refresh(&inner.store, &worker.address).await?;
    for (hash, trouble) in told {
        let is_it = |entry: &&mut Entry| entry.pending().is_some_and(|out| out.signed.hash.0 == hash.0);
        if let Some(entry) = standing.lane.entries.iter_mut().find(is_it) {
            entry.told(trouble.as_deref());
        }
    }
    Ok(())
}
