//! This appliance's own witness, as its configuration names it: what the store is opened with, and what the status says.

use std::sync::Arc;

use r3e_attestation::PolicyError;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{Restored, WitnessStatus};
use r3e_store::limits::MAX_STALE_MS;
use r3e_store::{Options, Store, Witness};

use super::{Peers, PeersParts};
use crate::configuration::WitnessChoice;

/// How the store is opened that this witness is asked about.
pub(crate) fn store_options(choice: &WitnessChoice) -> Options {
    let max_stale_ms = match choice {
        WitnessChoice::None => MAX_STALE_MS,
        WitnessChoice::Peers(peers) => u64::try_from(peers.max_stale.as_millis()).unwrap_or(MAX_STALE_MS),
    };
    Options { max_stale_ms, ..Options::default() }
}

/// The witness of this appliance.
pub(crate) struct OwnWitness {
    key: PublicKey,
    peers: Option<Arc<Peers>>,
}

impl OwnWitness {
    /// The one that `choice` names.
    ///
    /// # Errors
    /// As [`Peers::start`].
    pub(crate) fn start(choice: &WitnessChoice, parts: PeersParts) -> Result<Self, PolicyError> {
        let key = PublicKey(parts.key.public_key());
        let peers = match choice {
            WitnessChoice::None => None,
            WitnessChoice::Peers(peers) => Some(Arc::new(Peers::start(peers, parts)?)),
        };
        Ok(Self { key, peers })
    }

    /// For the store.
    pub(crate) fn witness(&self) -> Option<Arc<dyn Witness>> {
        self.peers.clone().map(|peers| peers as Arc<dyn Witness>)
    }

    /// Whether there is none: then this appliance may be others'.
    pub(crate) fn is_none(&self) -> bool {
        self.peers.is_none()
    }

    /// What the status says of the witness of `store`.
    pub(crate) fn status(&self, store: &Store) -> WitnessStatus {
        let restored = store.summary().restored;
        let restored =
            restored.map(|r3e_store::Restored { from, over, at_ms, .. }| Restored { from, over, at_ms });
        let problem = store.current().err().map(|error| error.to_string());
        let Some(peers) = &self.peers else {
            return WitnessStatus {
                provider: "none".to_owned(),
                detail: "a rolled-back state is noticed by clients alone".to_owned(),
                key: self.key,
                threshold: None,
                peers: Vec::new(),
                restored,
                problem,
            };
        };
        let mut lists = peers.thresholds().map(|(threshold, count)| format!("{threshold} of {count}"));
        let own = lists.next().unwrap_or_default();
        let former = lists.next().map(|former| format!(", and {former} former ones,")).unwrap_or_default();
        let threshold = peers.thresholds().next().and_then(|(threshold, _)| u8::try_from(threshold).ok());
        WitnessStatus {
            provider: "peers".to_owned(),
            detail: format!(
                "{own} peers{former} confirm each commit, and are heard before the state is opened"
            ),
            key: self.key,
            threshold,
            peers: peers.status(),
            restored,
            problem,
        }
    }
}
