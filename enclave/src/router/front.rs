//! What the routes of every stage need to know of the appliance, whether it is locked or serves.

use r3e_proto::api::codes;

use super::bodies::Bodies;
use crate::appliance::Appliance;
use crate::channel::EvidenceSource;
use crate::configuration::Configuration;
use crate::handoff::Handover;
use crate::locked::Locked;

/// One stage of the appliance, as routes that stand in all of them see it.
pub(crate) trait Front: Send + Sync + 'static {
    /// The configuration as it was measured.
    fn configuration(&self) -> &Configuration;
    /// Evidence for bindings.
    fn evidence(&self) -> &EvidenceSource;
    /// The TLS certificate's SubjectPublicKeyInfo.
    fn spki(&self) -> &[u8];
    /// Room for request bodies.
    fn bodies(&self) -> &Bodies;
    /// What the health route says.
    fn health(&self) -> &'static str;
    /// The way to a successor, where there is one.
    fn handover(&self) -> Option<&Handover>;
}

impl Front for Appliance {
    fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    fn evidence(&self) -> &EvidenceSource {
        &self.evidence
    }

    fn spki(&self) -> &[u8] {
        &self.spki
    }

    fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    fn health(&self) -> &'static str {
        if self.store.tampered().is_some() { codes::STORE_TAMPERED } else { "ok" }
    }

    fn handover(&self) -> Option<&Handover> {
        Some(&self.handover)
    }
}

impl Front for Locked {
    fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    fn evidence(&self) -> &EvidenceSource {
        &self.evidence
    }

    fn spki(&self) -> &[u8] {
        &self.spki
    }

    fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    fn health(&self) -> &'static str {
        use r3e_keys::quorum::Stage;
        if matches!(self.quorum.view().stage, Stage::Released) { "opening" } else { codes::LOCKED }
    }

    fn handover(&self) -> Option<&Handover> {
        None
    }
}
