//! Orders to restore: what the operator quorum signs, so that an appliance opens an older state than its witnesses hold.
//!
//! An order names one state of one appliance, and how much may be given up for it. Once it was followed, the witnesses hold
//! more than it gives up: it cannot be used twice. This module keeps no key.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};
use thiserror::Error;

use crate::api::identity::PublicKey;
use crate::channel::binding::{Digest, digest_fields};
use crate::limits::MAX_RESTORE_ORDER_BYTES;
/// Whose signatures order a restore, and how many it takes. The rules are those of a handoff's keys.
pub use crate::release::HandoffPolicy as RestorePolicy;
use crate::release::MAX_RELEASE_SIGNATURES as MAX_SIGNATURES;
use crate::wire::{WireError, limits, within};

/// The domain of an order's bytes, their first element.
pub const ORDER_DOMAIN: &str = "r3e/1/restore-order";
/// The domain of an order with its signatures.
pub const SIGNED_ORDER_DOMAIN: &str = "r3e/1/signed-restore-order";
/// The domain of the message that is signed.
pub const APPROVAL_DOMAIN: &str = "r3e/1/restore-approval";
/// An order: its domain, two digests and two numbers.
pub const MAX_ORDER_BYTES: usize = 128;

/// What is to be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreOrder {
    /// The appliance's identity, as its status shows it: the commitment to its root secret.
    pub identity: [u8; 32],
    /// The state's sequence.
    pub sequence: u64,
    /// SHA-256 of its sealed head.
    pub head: [u8; 32],
    /// The sequence that is given up for it: exactly what the witnesses hold, or the state where that is higher.
    pub over: u64,
}

/// An order's bytes and up to 16 signatures. Nothing of it is believed before [`SignedRestoreOrder::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRestoreOrder {
    order: Vec<u8>,
    signatures: Vec<(PublicKey, [u8; 64])>,
}

/// Why an order is not followed, or not signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OrderError {
    /// Not a signed order.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Too few keys of the policy signed it.
    #[error(
        "{approved} of the {threshold} keys that it takes have signed the order, of {signatures} signatures on it"
    )]
    NotApproved {
        /// Distinct keys of the policy whose signature holds.
        approved: usize,
        /// How many it takes.
        threshold: u8,
        /// Signatures on it.
        signatures: usize,
    },
    /// The key signed it already.
    #[error("the key {0} has signed this order already")]
    AlreadySigned(PublicKey),
}

/// What a key signs: SHA-384 over the domain and the order's exact bytes, each behind its length.
pub fn approval_message(order: &[u8]) -> Digest {
    digest_fields(&[APPROVAL_DOMAIN.as_bytes(), order])
}

impl RestoreOrder {
    /// The bytes that are signed: a deterministic CBOR array.
    pub fn encode(&self) -> Vec<u8> {
        encode(&Value::Array(vec![
            ORDER_DOMAIN.into(),
            Value::Bytes(self.identity.to_vec()),
            self.sequence.into(),
            Value::Bytes(self.head.to_vec()),
            self.over.into(),
        ]))
    }

    /// Reads an order.
    ///
    /// # Errors
    /// [`WireError`]: not an order, or one that gives nothing up.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(bytes, &limits(MAX_ORDER_BYTES, 8))?;
        let [domain, identity, sequence, head, over]: [Value; 5] = from_value("restore order", value)?;
        if from_value::<String>("domain of the restore order", domain)? != ORDER_DOMAIN {
            return Err(WireError::Domain { what: "restore order", expected: ORDER_DOMAIN });
        }
        let order = Self {
            identity: from_value("identity", identity)?,
            sequence: from_value("sequence", sequence)?,
            head: from_value("head", head)?,
            over: from_value("over", over)?,
        };
        if order.over < order.sequence || order.sequence == 0 {
            let why = "it is below the state's own sequence, or that is 0";
            return Err(WireError::Invalid { what: "over", why });
        }
        Ok(order)
    }
}

impl SignedRestoreOrder {
    /// An order that nobody has signed yet.
    pub fn unsigned(order: &RestoreOrder) -> Self {
        Self { order: order.encode(), signatures: Vec::new() }
    }

    /// The order's exact bytes.
    pub fn order(&self) -> &[u8] {
        &self.order
    }

    /// The signatures with the keys that are said to have made them.
    pub fn signatures(&self) -> &[(PublicKey, [u8; 64])] {
        &self.signatures
    }

    /// The order without any look at its signatures: to show what it claims, never to follow it.
    ///
    /// # Errors
    /// [`WireError`]: not an order.
    pub fn read_unverified(&self) -> Result<RestoreOrder, WireError> {
        RestoreOrder::decode(&self.order)
    }

    /// Adds a key's signature over [`approval_message`] of the order.
    ///
    /// # Errors
    /// [`OrderError::AlreadySigned`]; [`OrderError::Wire`] where there are 16 already.
    pub fn add(&mut self, key: PublicKey, signature: [u8; 64]) -> Result<(), OrderError> {
        if self.signatures.iter().any(|(by, _)| *by == key) {
            return Err(OrderError::AlreadySigned(key));
        }
        within("signatures", self.signatures.len() + 1, MAX_SIGNATURES)?;
        self.signatures.push((key, signature));
        Ok(())
    }

    /// The order, if as many distinct keys of the policy signed its exact bytes as it takes. `ed25519` says whether a
    /// signature over a message is the key's (RFC 8032).
    ///
    /// # Errors
    /// [`OrderError::NotApproved`]; [`OrderError::Wire`]: approved, and yet not an order.
    pub fn verify(
        &self,
        policy: &RestorePolicy,
        ed25519: impl Fn(&PublicKey, &[u8], &[u8; 64]) -> bool,
    ) -> Result<RestoreOrder, OrderError> {
        let message = approval_message(&self.order);
        // By the policy's keys, of which each counts once, however often it stands on the order.
        let signed = |key: &&PublicKey| {
            self.signatures.iter().any(|(by, signature)| by == *key && ed25519(by, &message, signature))
        };
        let (approved, threshold) = (policy.keys().iter().filter(signed).count(), policy.threshold());
        if approved < usize::from(threshold) {
            let signatures = self.signatures.len();
            return Err(OrderError::NotApproved { approved, threshold, signatures });
        }
        Ok(self.read_unverified()?)
    }

    /// The signed order as a file: a deterministic CBOR array.
    pub fn encode(&self) -> Vec<u8> {
        let signatures = self.signatures.iter().map(|(key, signature)| {
            Value::Array(vec![Value::Bytes(key.0.to_vec()), Value::Bytes(signature.to_vec())])
        });
        encode(&Value::Array(vec![
            SIGNED_ORDER_DOMAIN.into(),
            Value::Bytes(self.order.clone()),
            Value::Array(signatures.collect()),
        ]))
    }

    /// Reads a file. The order in it is read, so that one which keeps no rule is refused here; no signature is verified.
    ///
    /// # Errors
    /// [`WireError`]: not a signed order, or over a limit.
    pub fn decode(file: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(file, &limits(MAX_RESTORE_ORDER_BYTES, 16 + 3 * MAX_SIGNATURES))?;
        let [domain, order, signatures]: [Value; 3] = from_value("signed restore order", value)?;
        if from_value::<String>("domain of the signed restore order", domain)? != SIGNED_ORDER_DOMAIN {
            return Err(WireError::Domain { what: "signed restore order", expected: SIGNED_ORDER_DOMAIN });
        }
        let order: Vec<u8> = from_value("restore order", order)?;
        RestoreOrder::decode(&order)?;
        let signatures: Vec<Value> = from_value("signatures", signatures)?;
        within("signatures", signatures.len(), MAX_SIGNATURES)?;
        let signature = |value| {
            let [key, signature]: [Value; 2] = from_value("signature", value)?;
            let key = PublicKey(from_value("key of a signature", key)?);
            Ok::<_, WireError>((key, from_value("signature", signature)?))
        };
        let signatures = signatures.into_iter().map(signature).collect::<Result<_, _>>()?;
        Ok(Self { order, signatures })
    }
}
