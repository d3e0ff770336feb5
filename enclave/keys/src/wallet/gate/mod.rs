//! The gate before every signature: a policy, what was signed lately, and a request, in; a decision, out. No I/O, no clock,
//! no key.
//!
//! [`Allowed`] and [`ExportAllowed`] are made here alone, and no key signs or leaves without one. An [`Allowed`] carries the
//! usage that holds with it: whoever has it writes that down durably, in place of the usage that was judged, before the
//! signature is made. Then a crash can lose allowance, and never double it.

mod approvals;
mod denied;
mod loosening;
mod neo;
mod payload;
mod usage;
mod validity;

pub use denied::{ApprovalFault, Denied};
pub use loosening::loosens;
pub use usage::Usage;
pub use validity::{PolicyError, check_policy};

use r3e_proto::api::wallets::{Approval, Hash32, KeyType, Payload, Policy};
use r3e_proto::wallet::approval::{Subject, WalletRevision, policy_digest};
use r3e_proto::wallet::{self, PayloadError};

/// One wallet's policy.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// The wallet, and the revision of its policy.
    pub wallet: WalletRevision<'a>,
    /// The policy.
    pub policy: &'a Policy,
}

/// Who asks, when, and with whose consent.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Who asks.
    pub by: Asker<'a>,
    /// Unix milliseconds, by a clock that the caller trusts.
    pub now_ms: u64,
    /// Consents.
    pub approvals: &'a [Approval],
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// The tenant's own key.
    Tenant,
    /// One of its API keys, which has the scope.
    ApiKey,
    /// A version of one of its functions, `NAME@VERSION`.
    Function(&'a str),
}

/// A payload that a key of its type can sign, with the digest that would be signed.
#[derive(Debug, Clone, Copy)]
pub struct Decoded<'a> {
    payload: &'a Payload,
    digest: [u8; 32],
}

impl<'a> Decoded<'a> {
    /// Computes what a key of this type would sign.
    ///
    /// # Errors
    /// [`PayloadError`]: no key of this type signs it, whatever its policy.
    pub fn of(key_type: KeyType, payload: &'a Payload) -> Result<Self, PayloadError> {
        Ok(Self { payload, digest: wallet::digest(key_type, payload)? })
    }

    /// The digest.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The fields.
    pub fn payload(&self) -> &'a Payload {
        self.payload
    }
}

/// A signature that may be made, once [`Self::usage`] is durable.
#[derive(Debug)]
pub struct Allowed<'a> {
    decoded: Decoded<'a>,
    usage: Usage,
    signatures_left: u32,
}

impl Allowed<'_> {
    /// What is to be signed.
    pub fn digest(&self) -> &[u8; 32] {
        &self.decoded.digest
    }

    /// The fields of what is to be signed.
    pub fn payload(&self) -> &Payload {
        self.decoded.payload
    }

    /// The usage, this signature in it.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Signatures left in the window after this one.
    pub fn signatures_left(&self) -> u32 {
        self.signatures_left
    }
}

/// An export that may be made.
#[derive(Debug)]
pub struct ExportAllowed {
    recipient: Hash32,
}

impl ExportAllowed {
    /// The X25519 public key to encrypt to.
    pub fn recipient(&self) -> &[u8; 32] {
        &self.recipient.0
    }
}

impl Gate<'_> {
    /// Whether this may be signed now.
    ///
    /// # Errors
    /// [`Denied`]: the first rule that it breaks.
    pub fn sign<'p>(
        &self,
        decoded: Decoded<'p>,
        usage: &Usage,
        asking: &Asking<'_>,
    ) -> Result<Allowed<'p>, Denied> {
        match asking.by {
            Asker::ApiKey if !self.policy.api_keys => return Err(Denied::ApiKey),
            Asker::Function(version) if !self.policy.functions.iter().any(|granted| granted == version) => {
                return Err(Denied::Function);
            }
            _ => {}
        }
        let spend = payload::judge(self.policy, decoded.payload)?;
        self.approved(Subject::Sign(Hash32(decoded.digest)), asking)?;
        let (usage, signatures_left) = usage.with(self.policy, spend, asking.now_ms)?;
        Ok(Allowed { decoded, usage, signatures_left })
    }

    /// Whether `new` may take the policy's place. It needs consent where it is looser in any respect.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn set_policy(&self, new: &Policy, asking: &Asking<'_>) -> Result<(), Denied> {
        by_tenant(asking.by)?;
        if new.export && !self.policy.export {
            return Err(Denied::ExportStaysOff);
        }
        if !loosens(self.policy, new) {
            return Ok(());
        }
        let digest = policy_digest(new).map_err(|_| Denied::PolicyForm)?;
        self.approved(Subject::SetPolicy(digest), asking)
    }

    /// Whether the key may be exported to this X25519 public key.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn export(&self, recipient: Hash32, asking: &Asking<'_>) -> Result<ExportAllowed, Denied> {
        by_tenant(asking.by)?;
        if !self.policy.export {
            return Err(Denied::Export);
        }
        self.approved(Subject::Export(recipient), asking)?;
        Ok(ExportAllowed { recipient })
    }

    /// Whether the wallet may be deleted, its key with it. Approvers consent to that by consenting to a policy without them.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn delete(&self, by: Asker<'_>) -> Result<(), Denied> {
        by_tenant(by)?;
        if self.policy.approval.is_some() { Err(Denied::ApproversHold) } else { Ok(()) }
    }

    fn approved(&self, subject: Subject, asking: &Asking<'_>) -> Result<(), Denied> {
        match &self.policy.approval {
            None => Ok(()),
            Some(rule) => approvals::judge(rule, &self.wallet, subject, asking),
        }
    }
}

/// What is the tenant's own alone.
fn by_tenant(by: Asker<'_>) -> Result<(), Denied> {
    match by {
        Asker::Tenant => Ok(()),
        Asker::ApiKey => Err(Denied::ApiKey),
        Asker::Function(_) => Err(Denied::Function),
    }
}

#[cfg(test)]
mod tests;
