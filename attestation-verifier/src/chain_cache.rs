//! Certificate chains that were verified before: an enclave presents the same one for hours, and four of the five
//! signatures of an appraisal are in it.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha384};

use crate::{
    AppraisalError, TrustAnchor,
    chain::{self, VerifiedChain},
    limits::MAX_CACHED_CHAINS,
};

/// Chains whose signatures and constraints held, by the digest of all their bytes and of the root that they ended in.
/// Owned by whoever appraises many documents; the oldest entry gives way to a new one.
///
/// What it saves is the verification of signatures alone. Validity in time is checked at every appraisal, a
/// chain that failed is never remembered, and one that differs in a single byte is another chain.
#[derive(Default)]
pub struct ChainCache {
    verified: Mutex<VecDeque<(Key, Arc<VerifiedChain>)>>,
}

type Key = [u8; 48];

impl ChainCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// [`chain::verify`], unless exactly this chain has passed it before.
    pub(crate) fn verify(
        &self,
        anchor: &TrustAnchor,
        cabundle: &[Vec<u8>],
        leaf: &[u8],
    ) -> Result<Arc<VerifiedChain>, AppraisalError> {
        let key = key(anchor, cabundle, leaf);
        if let Some((_, chain)) = self.entries().iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(chain));
        }
        let chain = Arc::new(chain::verify(anchor, cabundle, leaf)?);
        let mut entries = self.entries();
        if entries.len() >= MAX_CACHED_CHAINS {
            entries.pop_front();
        }
        entries.push_back((key, Arc::clone(&chain)));
        Ok(chain)
    }

    // Nothing that holds the lock can leave the queue half changed by a panic.
    fn entries(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<VerifiedChain>)>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ChainCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainCache").field("chains", &self.entries().len()).finish()
    }
}

/// SHA-384 over the root that is trusted and every certificate of the chain, each behind its length.
fn key(anchor: &TrustAnchor, cabundle: &[Vec<u8>], leaf: &[u8]) -> Key {
    let mut hash = Sha384::new();
    let certificates = cabundle.iter().map(Vec::as_slice);
    for der in [anchor.der()].into_iter().chain(certificates).chain([leaf]) {
        hash.update((der.len() as u64).to_be_bytes());
        hash.update(der);
    }
    hash.finalize().into()
}
