//! This appliance's own witness, as its configuration names it: what the store is opened with, and what the status says.

use std::sync::Arc;

use r3e_attestation::PolicyError;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::{Restored, WitnessStatus};
use r3e_store::Witness;

use super::{Peers, PeersParts};
use crate::configuration::WitnessChoice;

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

    /// What the status says; `restored` is what the head says of it.
    pub(crate) fn status(&self, restored: Option<r3e_store::Restored>) -> WitnessStatus {
        let restored =
            restored.map(|r3e_store::Restored { from, over, at_ms, .. }| Restored { from, over, at_ms });
        let Some(peers) = &self.peers else {
            return WitnessStatus {
                provider: "none".to_owned(),
                detail: "a rolled-back state is noticed by clients alone".to_owned(),
                key: self.key,
                threshold: None,
                peers: Vec::new(),
                restored,
            };
        };
        let (threshold, all) = (peers.threshold(), peers.status());
        WitnessStatus {
            provider: "peers".to_owned(),
            detail: format!(
                "{threshold} of {} peers confirm each commit, and are heard before the state is opened",
                all.len()
            ),
            key: self.key,
            threshold: u8::try_from(threshold).ok(),
            peers: all,
            restored,
        }
    }
}
