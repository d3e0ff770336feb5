//! Zero-knowledge proofs, as an invocation asks for them. They are its tenant's.

use std::sync::atomic::{AtomicU32, Ordering};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::zk::{ProveRanges, RangeProof, VerifyProof};
use r3e_runner_api::{HostError, HostErrorCode, HostReply, HostValue, SecretText};
use serde::de::DeserializeOwned;

use crate::host::failed;
use crate::limits::{MAX_PROOF_TEXT_BYTES, MAX_PROOFS};
use crate::sources::{ProofError, ProofSource};
use crate::values::refused;

/// The proofs of one invocation.
pub(crate) struct Proofs<'a> {
    source: &'a dyn ProofSource,
    tenant: TenantId,
    asked: AtomicU32,
}

impl<'a> Proofs<'a> {
    pub(crate) fn new(source: &'a dyn ProofSource, tenant: TenantId) -> Self {
        Self { source, tenant, asked: AtomicU32::new(0) }
    }

    /// That numbers are in ranges. What is asked for is JSON text.
    pub(crate) async fn prove_ranges(&self, asked: SecretText) -> HostReply {
        self.count()?;
        let asked: ProveRanges = {
            let text = asked;
            parsed(text.expose())?
        };
        let made = self.source.prove_ranges(self.tenant, asked).await.map_err(told)?;
        // Room for all of it at once: a text that grows leaves copies behind.
        let mut text = Vec::with_capacity(MAX_PROOF_TEXT_BYTES);
        serde_json::to_writer(&mut text, &made).map_err(|_| invalid("a proof that is no JSON"))?;
        let text = String::from_utf8(text).map_err(|_| invalid("a proof that is no text"))?;
        Ok(HostValue::ZkProveRanges { made: SecretText::new(text.into()) })
    }

    /// Whether a proof, JSON text, holds.
    pub(crate) async fn verify_ranges(&self, proof: String) -> HostReply {
        self.count()?;
        let text = proof;
        let proof: RangeProof = parsed(&text)?;
        // It may be long, and its turn may not come soon.
        drop(text);
        let verdict = self.source.verify_ranges(self.tenant, proof).await.map_err(told)?;
        Ok(HostValue::ZkVerifyRanges { holds: verdict.holds })
    }

    /// Whether a Groth16 proof proves signals by a key. The three are one JSON text.
    pub(crate) async fn verify_proof(&self, asked: String) -> HostReply {
        self.count()?;
        let text = asked;
        let asked: VerifyProof = parsed(&text)?;
        drop(text);
        let verdict = self.source.verify_proof(self.tenant, asked).await.map_err(told)?;
        Ok(HostValue::ZkVerifyProof { holds: verdict.holds })
    }

    fn count(&self) -> Result<(), HostError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MAX_PROOFS {
            let message = format!("an invocation has at most {MAX_PROOFS} proofs made or verified");
            return Err(refused(HostErrorCode::LimitExceeded, message));
        }
        Ok(())
    }
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, HostError> {
    // Where it is wrong, and not what stands there: that may be a secret.
    serde_json::from_str(text).map_err(|error| {
        invalid(&format!("this is not what a proof is asked with or has: {}", shape_of(&error)))
    })
}

/// What is wrong with a JSON text, without the text.
fn shape_of(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a field is missing, unknown, or of another kind",
        _ => "it is no JSON",
    };
    format!("{what} (column {})", error.column())
}

fn told(error: ProofError) -> HostError {
    match error {
        ProofError::Invalid(why) => invalid(&why),
        ProofError::Busy(why) => refused(HostErrorCode::Unavailable, why),
        ProofError::Unavailable(error) => failed(&error),
    }
}

fn invalid(why: &str) -> HostError {
    refused(HostErrorCode::Invalid, why)
}
