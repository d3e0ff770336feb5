//! Anchors: a contract on a chain remembers how far this appliance was, out of the parent's reach.
//!
//! ```text
//! sign   a commit of the state --> written down in the state --> signed, given to whoever asks --their wallet--> contract
//! boot   contract --k of n nodes--> last anchor --> a state that is later, and has it written down --> opened
//! watch  contract --now and then--> last anchor --> not written down here: another copy of the state went on --> closed
//! ```
//!
//! An anchor is written down before its signature leaves the enclave. So a state that does not have the chain's last one written down is an older
//! state, or a branch of one, whatever its number: a boot that learns of the anchor opens none of them. What was committed since the last
//! anchor can still be taken back; and who keeps a running appliance from the nodes keeps it from learning of later ones.
//!
//! `chain` reads the contract, `ledger` keeps what was signed; here is decided what both together mean.

mod chain;
mod ledger;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_keys::AnchorKey;
use r3e_proto::anchor::anchor_call;
use r3e_proto::api::anchor::{Anchor, AnchorStatus, SignedAnchor};
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::report::EvmTarget;
use r3e_proto::witness::Commit;
use r3e_store::{Anchored, Store, StoreError, Tampered};
use r3e_transport::EnclaveTransport;
use tokio::sync::Mutex as Turn;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use self::chain::AnchorChain;
pub(crate) use self::chain::AnchorUnread;
use self::ledger::Ledger;
use crate::configuration::{AnchorChoice, Configuration};
use crate::limits::{
    ANCHOR_LOOK_AGAIN, ANCHOR_PACE, ANCHOR_PATIENCE, MAX_ANCHORS, STATE_OPENING_FIRST_PAUSE,
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
    /// Held while one is signed.
    signing: Turn<Signing>,
    seen: Mutex<Seen>,
}

/// When it was tried last to sign one, and when the last was signed by this process.
#[derive(Default)]
struct Signing {
    tried: Option<Instant>,
    signed: Option<(Instant, Anchor)>,
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
    ///
    /// # Errors
    /// As [`Ledger::new`].
    pub(crate) fn anchored(&self) -> Result<Option<Anchored>, StoreError> {
        let on_chain = self.found.and_then(|found| found.on_chain);
        on_chain.map(|anchor| ledger::anchored(self.contract, anchor)).transpose()
    }

    async fn found_now(&self) -> Result<Found, AnchorUnread> {
        let at_ms = self.clock.now_ms();
        let on_chain = self.chain.last_of(self.key.address(), at_ms).await?;
        Ok(Found { on_chain, at_ms })
    }
}

impl Anchors {
    /// Over a state that was opened; without `anchoring` there are none. The chain is looked at from here on, at once and until this is dropped.
    ///
    /// # Errors
    /// As [`Ledger::new`].
    pub(crate) fn start(
        anchoring: Option<Anchoring>,
        store: &Store,
    ) -> Result<Option<Arc<Self>>, StoreError> {
        let Some(anchoring) = anchoring else { return Ok(None) };
        let (ledger, store) = (Ledger::new(store.clone(), anchoring.contract)?, store.clone());
        let seen = Mutex::new(Seen { signed: ledger.last()?, found: anchoring.found, problem: None });
        let anchors = Arc::new(Self { anchoring, store, ledger, signing: Turn::default(), seen });
        tokio::spawn(watch(Arc::downgrade(&anchors)));
        Ok(Some(anchors))
    }

    /// Signs a commit that was made after this was called, or before: with all that was acknowledged until then. Those who come within the pace wait
    /// for it, and share what is signed next. Where too many were never brought, the last of them is given again.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub(crate) async fn sign(&self) -> Result<SignedAnchor, ServiceError> {
        let came = Instant::now();
        let busy = |_| ServiceError::Busy("others wait for an anchor; try again in a minute".to_owned());
        let mut signing = timeout(ANCHOR_PATIENCE, self.signing.lock()).await.map_err(busy)?;
        if let Some((at, anchor)) = signing.signed
            && at >= came
        {
            return self.signed(anchor);
        }
        let last = lock(&self.seen).signed;
        if let Some(last) = last
            && self.ledger.count()? >= MAX_ANCHORS
        {
            return self.signed(last);
        }
        if let Some(tried) = signing.tried {
            sleep_until(tried + ANCHOR_PACE).await;
        }
        let at = Instant::now();
        signing.tried = Some(at);
        let summary = self.store.summary();
        let at_ms = self.anchoring.clock.now_ms();
        let anchor = Anchor { sequence: summary.sequence, head: Hash32(summary.head), at_ms };
        self.ledger.add(&anchor).await?;
        signing.signed = Some((at, anchor));
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
    ///
    /// # Errors
    /// [`Tampered::NotAnchored`].
    async fn look(&self) -> Result<Duration, Tampered> {
        let (later, again) = (self.anchoring.look, self.anchoring.look.min(ANCHOR_LOOK_AGAIN));
        let found = match self.anchoring.found_now().await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the anchor was not read");
                lock(&self.seen).problem = Some(error.to_string());
                return Ok(again);
            }
        };
        {
            let mut seen = lock(&self.seen);
            (seen.found, seen.problem) = (Some(found), None);
        }
        let Some(on_chain) = found.on_chain else { return Ok(later) };
        let summary = self.store.summary();
        let is_over = summary.restored.is_some_and(|restored| restored.over >= on_chain.sequence);
        match self.ledger.knows(&on_chain) {
            Ok(knows) if knows || is_over => {
                if let Err(error) = self.ledger.saw(on_chain.sequence).await {
                    tracing::debug!(%error, "that the anchor was seen was not written down");
                }
                Ok(later)
            }
            Ok(_) => {
                let (head, anchored) = (summary.head, on_chain.sequence);
                Err(Tampered::NotAnchored { held: summary.sequence, head, anchored })
            }
            Err(error) => {
                tracing::warn!(%error, "whether the state knows of the chain's anchor was not found out");
                Ok(again)
            }
        }
    }
}

/// Looks at the chain now and then, until nobody has the anchors any more, or the state is none to go on with.
async fn watch(anchors: Weak<Anchors>) {
    let condemning = loop {
        let Some(anchors) = anchors.upgrade() else { return };
        match anchors.look().await {
            Ok(pause) => {
                drop(anchors);
                sleep(pause).await;
            }
            Err(found) => {
                tracing::error!(%found, "the state is not used any more");
                break anchors.store.condemning(found);
            }
        }
    };
    condemning.await;
}

fn network(contract: &EvmTarget) -> String {
    format!("eip155:{}", contract.chain_id)
}

// Nothing that holds it can leave it half changed.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
