//! How records are addressed, and what of it the parent sees.

use std::{borrow::Cow, sync::Arc};

use aws_lc_rs::hmac;
use r3e_proto::host::blob::BlobName;

use crate::{
    error::StoreError,
    limits::{MAX_KEY_BYTES, MAX_LABEL_BYTES, MAX_TENANT_BYTES},
};

/// Separates blinded names from any other HMAC under the same key.
const DOMAIN: &[u8] = b"r3e/1/store/name";
/// The same for what the store keeps for itself.
const NOTE_DOMAIN: &[u8] = b"r3e/1/store/notes";

/// What the store keeps beside the records, each kind numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What one commit changed; the number is its sequence.
    Tail,
    /// A page of a checkpoint.
    Page,
}

/// The names of one kind: 24 bytes that only the enclave can make, then the number, big-endian. They follow each other in
/// the order of names, so that a range is read by listing. The parent learns no more than what it sees anyway: which of
/// its records were written in which order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered([u8; 24]);

impl Numbered {
    pub(crate) fn new(blind: &hmac::Key, kind: Kind) -> Self {
        let label: &[u8] = match kind {
            Kind::Tail => b"/tail",
            Kind::Page => b"/page",
        };
        let mut prefix = [0; 24];
        prefix.copy_from_slice(&hmac::sign(blind, &[NOTE_DOMAIN, label].concat()).as_ref()[..24]);
        Self(prefix)
    }

    pub(crate) fn name(&self, number: u64) -> BlobName {
        let mut name = BlobName::default();
        name[..24].copy_from_slice(&self.0);
        name[24..].copy_from_slice(&number.to_be_bytes());
        name
    }
}

/// A kind of record, and whose: `secrets` of one tenant, `tenants` of the appliance. Records of two namespaces never
/// meet, whatever their keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace {
    label: Cow<'static, str>,
    /// Empty for the appliance's own.
    tenant: Arc<str>,
}

impl Namespace {
    /// The appliance's own records of the kind `label`.
    ///
    /// # Errors
    /// [`StoreError::Name`] unless `label` is 1 to [`MAX_LABEL_BYTES`] of `[a-z0-9-]`.
    pub fn of_appliance(label: &'static str) -> Result<Self, StoreError> {
        checked_label(label)?;
        Ok(Self { label: Cow::Borrowed(label), tenant: Arc::from("") })
    }

    /// One tenant's records of the kind `label`.
    ///
    /// # Errors
    /// [`StoreError::Name`] for a label as above, or a `tenant` that is not 1 to [`MAX_TENANT_BYTES`] bytes.
    pub fn of_tenant(label: &'static str, tenant: &str) -> Result<Self, StoreError> {
        checked_label(label)?;
        if tenant.is_empty() || tenant.len() > MAX_TENANT_BYTES {
            return Err(StoreError::Name { what: "a tenant", rule: "1 to 128 bytes" });
        }
        Ok(Self { label: Cow::Borrowed(label), tenant: Arc::from(tenant) })
    }

    /// The kind of record.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The tenant, none for the appliance's own.
    pub fn tenant(&self) -> Option<&str> {
        (!self.tenant.is_empty()).then_some(&*self.tenant)
    }

    /// A namespace as a sealed record names it.
    pub(crate) fn recovered(label: &str, tenant: &str) -> Self {
        Self { label: Cow::Owned(label.to_owned()), tenant: Arc::from(tenant) }
    }

    /// Label, tenant and key, each after its length, so that no two addresses have one encoding.
    pub(crate) fn encode_address(&self, key: &str, out: &mut Vec<u8>) {
        self.encode(out);
        encode_text(key, out);
    }

    /// Label and tenant, each after its length.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        encode_text(&self.label, out);
        encode_text(&self.tenant, out);
    }

    /// How many bytes [`Self::encode_address`] writes.
    pub(crate) fn address_len(&self, key: &str) -> usize {
        6 + self.label.len() + self.tenant.len() + key.len()
    }
}

/// A text after its length.
pub(crate) fn encode_text(text: &str, out: &mut Vec<u8>) {
    // Labels, tenants and keys are far below 2^16: checked when they were made.
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A record's key: 1 to [`MAX_KEY_BYTES`] bytes.
pub(crate) fn checked_key(key: &str) -> Result<(), StoreError> {
    match key.len() {
        0 => Err(StoreError::Name { what: "a key", rule: "at least one byte" }),
        bytes if bytes > MAX_KEY_BYTES => {
            Err(StoreError::TooLarge { what: "a key, in bytes,", limit: MAX_KEY_BYTES })
        }
        _ => Ok(()),
    }
}

/// The name that the parent sees: HMAC-SHA-256 of the address.
pub(crate) fn blinded(blind: &hmac::Key, namespace: &Namespace, key: &str) -> BlobName {
    let mut message = Vec::with_capacity(DOMAIN.len() + namespace.address_len(key));
    message.extend_from_slice(DOMAIN);
    namespace.encode_address(key, &mut message);
    let mut name = BlobName::default();
    name.copy_from_slice(hmac::sign(blind, &message).as_ref());
    name
}

fn checked_label(label: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if label.is_empty() || label.len() > MAX_LABEL_BYTES || !label.bytes().all(allowed) {
        return Err(StoreError::Name { what: "a namespace's label", rule: "1 to 32 of [a-z0-9-]" });
    }
    Ok(())
}
