//! Which appliance is where. A parent that empties its slot has the same image, under the same configuration, begin anew:
//! another root secret, with an empty state that is as genuine as the one before. Its attestation holds, and none of the
//! sequence numbers that were seen is its. What tells the two apart is who they are, so that is remembered by address.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use r3e_proto::channel::UNLOCK_PCR;
use r3e_proto::channel::binding::{configuration_digest, pcr_extended_once};
use r3e_proto::unlock::EPHEMERAL_POLICY;
use thiserror::Error;

use crate::address::Address;
use crate::channel::AttestedChannel;
use crate::error::ClientError;
use crate::report_key::ReportKey;
use crate::sequences::ApplianceKey;

/// Who an appliance is. Both come from its root secret, and from nothing else: they stay the same through restarts,
/// upgrades and moves, and are others with another root secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appliance {
    /// The commitment to the root secret, as the attested image says it.
    pub identity: [u8; 32],
    /// The report key (Ed25519), as its document attests it.
    pub report_key: ApplianceKey,
}

/// Why the memory failed. The client goes no further then: without it another appliance would go unseen.
#[derive(Debug, Error)]
#[error("the record of which appliance is where cannot be used")]
pub struct ApplianceMemoryError(#[source] pub Box<dyn Error + Send + Sync>);

/// Remembers which appliance is at which address.
pub trait ApplianceMemory: fmt::Debug + Send + Sync {
    /// The one known there; none where none was seen.
    ///
    /// # Errors
    /// [`ApplianceMemoryError`]: it cannot be read.
    fn known(&self, address: &Address) -> Result<Option<Appliance>, ApplianceMemoryError>;

    /// Remembers one where none is known. Gives the one that is known from then on: another, where somebody else was
    /// first.
    ///
    /// # Errors
    /// [`ApplianceMemoryError`]: it cannot be kept.
    fn remember_first(
        &self,
        address: &Address,
        appliance: &Appliance,
    ) -> Result<Appliance, ApplianceMemoryError>;

    /// Remembers one in place of the one known: its user has named it.
    ///
    /// # Errors
    /// [`ApplianceMemoryError`]: it cannot be kept.
    fn replace(&self, address: &Address, appliance: &Appliance) -> Result<(), ApplianceMemoryError>;
}

/// A memory as long as the process.
#[derive(Debug, Default)]
pub struct AppliancesInMemory(Mutex<HashMap<String, Appliance>>);

impl ApplianceMemory for AppliancesInMemory {
    fn known(&self, address: &Address) -> Result<Option<Appliance>, ApplianceMemoryError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(address)).copied())
    }

    fn remember_first(
        &self,
        address: &Address,
        appliance: &Appliance,
    ) -> Result<Appliance, ApplianceMemoryError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*known.entry(key(address)).or_insert(*appliance))
    }

    fn replace(&self, address: &Address, appliance: &Appliance) -> Result<(), ApplianceMemoryError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key(address), *appliance);
        Ok(())
    }
}

impl AttestedChannel {
    /// Who the appliance is; checked against who is known at its address, and remembered there.
    ///
    /// # Errors
    /// [`ClientError::OtherAppliance`], [`ClientError::OtherIdentity`]; [`ClientError::Api`] with the code `locked` where it
    /// has no keys yet; any other [`ClientError`].
    pub async fn appliance(&mut self) -> Result<Appliance, ClientError> {
        let key = self.report_key().await?;
        let status = self.status().await?;
        self.recognise(&key, &status.identity)
    }

    /// Refuses another appliance than the one that is pinned or known at the address, and remembers the first one there.
    pub(crate) fn recognise(&self, key: &ReportKey, identity: &str) -> Result<Appliance, ClientError> {
        let mut found = Appliance { identity: [0; 32], report_key: *key.public_key() };
        hex::decode_to_slice(identity, &mut found.identity)
            .map_err(|error| crate::http::answer("the status", &error))?;
        let (address, memory) = (&self.shared.address, &self.shared.appliances);
        let other = |known: Appliance| {
            Err(ClientError::OtherAppliance { known: Box::new(known), found: Box::new(found) })
        };
        let known = memory.known(address)?;
        if let Some(pinned) = self.shared.policy.pinned_identity() {
            if *pinned != found.identity {
                return Err(ClientError::OtherIdentity { pinned: *pinned, found: found.identity });
            }
            // Nobody can name another report key for the same root secret.
            if let Some(known) = known.filter(|known| known.identity == found.identity && *known != found) {
                return other(known);
            }
            if self.is_lasting() {
                memory.replace(address, &found)?;
            }
            return Ok(found);
        }
        let first = match known {
            Some(known) => known,
            // It is another one at each start, by its measured policy: there is nothing to know it by.
            None if !self.is_lasting() => return Ok(found),
            None => memory.remember_first(address, &found)?,
        };
        if first == found { Ok(found) } else { other(first) }
    }

    /// Whether the measured unlock policy lets the appliance be the same one after a restart.
    fn is_lasting(&self) -> bool {
        let ephemeral = pcr_extended_once(&configuration_digest(EPHEMERAL_POLICY));
        self.attestation().pcr(UNLOCK_PCR) != Some(&ephemeral)
    }
}

/// DNS names are the same in any case.
fn key(address: &Address) -> String {
    address.to_string().to_ascii_lowercase()
}
