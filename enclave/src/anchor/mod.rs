//! Anchors: a contract on a chain remembers how far this appliance was, out of the parent's reach.
//!
//! ```text
//! sign   a commit of the state --> written down in the state --> signed, given to whoever asks --their wallet--> contract
//! boot   contract --k of n nodes--> last anchor --> a state that is later, and has it written down --> opened
//! watch  contract --now and then--> last anchor --> not written down here: another copy of the state went on --> closed
//! ```
//!
//! An anchor is written down before its signature leaves the enclave. So a state that does not know of the chain's last one is an older
//! state, or a branch of one, whatever its number: those who keep it cannot let it grow past the anchor unseen. What was committed
//! since the last anchor can still be taken back: how much that is, is up to how often somebody brings one.
//!
//! `chain` reads the contract, `ledger` keeps what was signed; here is decided what both together mean.

mod chain;
mod ledger;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_keys::AnchorKey;
use r3e_proto::anchor::anchor_call;
use r3e_proto::api::anchor::{Anchor, AnchorStatus, SignedAnchor};
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::report::EvmTarget;
use r3e_proto::witness::Commit;
use r3e_store::{Store, StoreError, Tampered, Witnessed};
use r3e_transport::EnclaveTransport;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep, timeout_at};

use self::chain::AnchorChain;
pub(crate) use self::chain::AnchorUnread;
use self::ledger::Ledger;
use crate::configuration::{AnchorChoice, Configuration};
use crate::limits::{
    ANCHOR_LOOK_AGAIN, ANCHOR_PACE_MS, ANCHORS_KEPT, MAX_ANCHORS, STATE_OPENING_FIRST_PAUSE,
    STATE_OPENING_LAST_PAUSE, STATE_OPENING_TIMEOUT,
};
use crate::service::ServiceError;

/// The contract and the key, before there is a state.
pub(crate) struct Anchoring {
    key: AnchorKey,
    contract: EvmTarget,
    chain: AnchorChain,
    look: Duration,
    clock: TrustedClock,
    /// What was read at the boot.
    found: Option<Found>,
}

/// What the chain holds, and when it was read.
#[derive(Clone, Copy)]
struct Found {
    on_chain: Option<Anchor>,
    at_ms: u64,
}

/// The same, over the state.
pub(crate) struct Anchors {
    anchoring: Anchoring,
    store: Store,
    ledger: Ledger,
    /// The last that was signed. Held while the next one is.
    signed: Turn<Option<Anchor>>,
    seen: Mutex<Seen>,
}

/// What was signed last, and what was seen of the chain.
struct Seen {
    signed: Option<Anchor>,
    found: Option<Found>,
    problem: Option<String>,
}

impl Anchoring {
    /// By the contract of `choice`.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: there is no way out.
    pub(crate) fn open(
        choice: &AnchorChoice,
        key: AnchorKey,
        transport: &EnclaveTransport,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let chain = AnchorChain::open(choice, transport, configuration, clock)?;
        let (contract, look) = (choice.contract, choice.look);
        Ok(Self { key, contract, chain, look, clock: clock.clone(), found: None })
    }

    /// Reads the last anchor that the chain holds. Where nodes do not agree they are asked again, as long as for a state.
    ///
    /// # Errors
    /// [`AnchorUnread`]: they did not in all that time, or it is not the contract.
    pub(crate) async fn read(&mut self) -> Result<(), AnchorUnread> {
        let deadline = Instant::now() + STATE_OPENING_TIMEOUT;
        let mut pause = STATE_OPENING_FIRST_PAUSE;
        loop {
            let read = timeout_at(deadline, self.found_now()).await;
            match read.unwrap_or(Err(AnchorUnread::Slow)) {
                Ok(found) => {
                    self.found = Some(found);
                    return Ok(());
                }
                Err(AnchorUnread::Nodes(why)) if Instant::now() + pause < deadline => {
                    tracing::warn!(why, "the anchor is not read yet; trying again");
                }
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(STATE_OPENING_LAST_PAUSE);
        }
    }

    /// What was read, as the store is opened against it.
    pub(crate) fn witnessed(&self) -> Option<Witnessed> {
        let Anchor { sequence, head, .. } = self.found?.on_chain?;
        Some(Witnessed { sequence, head: head.0 })
    }

    async fn found_now(&self) -> Result<Found, AnchorUnread> {
        let on_chain = self.chain.last_of(self.key.address()).await?;
        Ok(Found { on_chain, at_ms: self.clock.now_ms() })
    }
}

impl Anchors {
    /// Over a state that was opened, where it knows of the anchor that was read; without `anchoring` there are none. The chain is looked at
    /// from here on, until this is dropped.
    ///
    /// # Errors
    /// [`Tampered::NotAnchored`]; others of the store's.
    pub(crate) async fn start(
        anchoring: Option<Anchoring>,
        store: &Store,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        let Some(anchoring) = anchoring else { return Ok(None) };
        let ledger = Ledger::new(store.clone())?;
        let (signed, found) = (ledger.last().await?, anchoring.found);
        let seen = Mutex::new(Seen { signed, found, problem: None });
        let (store, signed) = (store.clone(), Turn::new(signed));
        let anchors = Arc::new(Self { anchoring, store, ledger, signed, seen });
        if let Some(on_chain) = found.and_then(|found| found.on_chain) {
            anchors.judge(&on_chain).await?;
        }
        tokio::spawn(watch(Arc::downgrade(&anchors)));
        Ok(Some(anchors))
    }

    /// Signs the last commit, or gives the last anchor again where that was a moment ago, or too many were never brought.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(crate) async fn sign(&self) -> Result<SignedAnchor, ServiceError> {
        let mut last = self.signed.lock().await;
        let now_ms = self.anchoring.clock.now_ms();
        let again =
            |last: &Anchor| now_ms.saturating_sub(last.at_ms) < ANCHOR_PACE_MS && last.at_ms <= now_ms;
        if let Some(last) = last.filter(|last| again(last)) {
            return self.signed(last);
        }
        if let Some(last) = *last
            && self.ledger.count()? >= MAX_ANCHORS
        {
            return self.signed(last);
        }
        let summary = self.store.summary();
        let anchor = Anchor { sequence: summary.sequence, head: Hash32(summary.head), at_ms: now_ms };
        self.ledger.add(&anchor).await?;
        *last = Some(anchor);
        lock(&self.seen).signed = Some(anchor);
        self.signed(anchor)
    }

    /// What the status says.
    pub(crate) fn status(&self) -> AnchorStatus {
        let Anchoring { key, contract, .. } = &self.anchoring;
        let Seen { signed, found, problem } = &*lock(&self.seen);
        AnchorStatus {
            network: network(contract),
            contract: contract.contract,
            appliance: key.address(),
            signed: *signed,
            on_chain: found.and_then(|found| found.on_chain),
            read_at_ms: found.map(|found| found.at_ms),
            problem: problem.clone(),
        }
    }

    fn signed(&self, anchor: Anchor) -> Result<SignedAnchor, ServiceError> {
        let internal = |what: &dyn std::fmt::Display| ServiceError::Internal(what.to_string());
        let Anchoring { key, contract, .. } = &self.anchoring;
        let commit = Commit { sequence: anchor.sequence, head: anchor.head.0 };
        let signature = key.sign(contract, &commit).map_err(|error| internal(&error))?;
        let data = anchor_call(key.address(), &commit, &signature);
        Ok(SignedAnchor {
            network: network(contract),
            contract: contract.contract,
            appliance: key.address(),
            anchor,
            signature: HexBytes(signature.to_vec()),
            data: HexBytes(data.ok_or_else(|| internal(&"no signature that a contract takes"))?),
        })
    }

    /// Looks at the chain; how long until the next look.
    async fn look(&self) -> Duration {
        let (later, again) = (self.anchoring.look, self.anchoring.look.min(ANCHOR_LOOK_AGAIN));
        let found = match self.anchoring.found_now().await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the anchor was not read");
                lock(&self.seen).problem = Some(error.to_string());
                return again;
            }
        };
        {
            let mut seen = lock(&self.seen);
            (seen.found, seen.problem) = (Some(found), None);
        }
        let Some(on_chain) = found.on_chain else { return later };
        match self.judge(&on_chain).await {
            Ok(()) => {}
            Err(StoreError::Tampered(found @ Tampered::NotAnchored { .. })) => {
                tracing::error!(%found, "the state is not used any more");
                self.store.condemn(found).await;
            }
            Err(error) => {
                tracing::warn!(%error, "whether the state knows of the chain's anchor was not found out");
                return again;
            }
        }
        if let Err(error) = self.ledger.forget_before(on_chain.sequence, ANCHORS_KEPT).await {
            tracing::debug!(%error, "anchors that are over were not forgotten");
        }
        later
    }

    /// Whether the state has this anchor written down, or was restored over it by order.
    async fn judge(&self, on_chain: &Anchor) -> Result<(), StoreError> {
        let summary = self.store.summary();
        let is_over = summary.restored.is_some_and(|restored| restored.over >= on_chain.sequence);
        if is_over || self.ledger.has(on_chain).await? {
            return Ok(());
        }
        let anchored = on_chain.sequence;
        Err(Tampered::NotAnchored { held: summary.sequence, head: summary.head, anchored }.into())
    }
}

/// Looks at the chain now and then, until nobody has the anchors any more. The first look is at once: a successor did not look at its boot.
async fn watch(anchors: std::sync::Weak<Anchors>) {
    loop {
        let Some(anchors) = anchors.upgrade() else { return };
        let pause = anchors.look().await;
        drop(anchors);
        sleep(pause).await;
    }
}

fn network(contract: &EvmTarget) -> String {
    format!("eip155:{}", contract.chain_id)
}

// Nothing that holds it can leave it half changed.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
