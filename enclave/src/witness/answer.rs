//! What a peer's answer is worth: it has the peer's signature over this question, and what it says was recorded has this
//! appliance's own.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use r3e_keys::{KeyError, WitnessKey};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::api::witness::Answer;
use r3e_proto::witness::{Commit, NONCE_BYTES, record_message, witnessed_message};
use thiserror::Error;

/// This appliance, as its peers know it.
pub(super) struct Identity {
    key: Arc<WitnessKey>,
}

/// Why an answer counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum NoAnswer {
    /// It is not signed by the peer, over this question.
    #[error("its statement is not signed by its report key over this question")]
    Statement,
    /// It says that something was recorded which was not.
    #[error("it shows a commit that this appliance never signed")]
    Invented,
    /// It holds less than it confirmed before.
    #[error("it has forgotten a commit that it confirmed: its own state was rolled back")]
    Forgot,
}

impl Identity {
    pub(super) fn new(key: Arc<WitnessKey>) -> Self {
        Self { key }
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey(self.key.public_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        self.key.sign(message)
    }

    /// What the peer with this report key remembers, if its answer to the question of `nonce` holds, and is not older than
    /// what it `confirmed` before.
    pub(super) fn judge(
        &self,
        answer: &Answer,
        report_key: &[u8; 32],
        nonce: &[u8; NONCE_BYTES],
        confirmed: Option<&Commit>,
    ) -> Result<Option<Commit>, NoAnswer> {
        let key = self.public();
        let last = answer.last.map(|last| last.commit());
        let statement = witnessed_message(&key, nonce, last.as_ref());
        if !signed(report_key, &statement, &answer.statement.0) {
            return Err(NoAnswer::Statement);
        }
        if let (Some(recorded), Some(last)) = (&answer.last, &last)
            && !signed(&key.0, &record_message(&key, last), &recorded.signature.0)
        {
            return Err(NoAnswer::Invented);
        }
        let sequence = last.map(|last| last.sequence);
        if confirmed.is_some_and(|confirmed| sequence < Some(confirmed.sequence)) {
            return Err(NoAnswer::Forgot);
        }
        Ok(last)
    }
}

fn signed(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
}
