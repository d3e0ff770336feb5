//! What the provider keeps in the parent's slot: the ciphertext for KMS, and the root sealed under the data key in it.
//!
//! Nothing in it is secret, and the parent may change any of it. The seal covers the rest of the slot, so a slot opens
//! whole or not at all; that the data key is the right one, KMS answers for.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    constant_time::verify_slices_are_equal,
};
use hkdf::Hkdf;
use r3e_cbor::{CborError, Limits, Value, decode_canonical, encode, from_value};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{error::KmsError, policy::KmsPolicy, recipient::DataKey};
use crate::{
    Entropy, KeyError, RootSecret,
    limits::{
        COMMITMENT_BYTES, MAX_KEY_ARN_BYTES, MAX_KMS_CIPHERTEXT_BYTES, MAX_KMS_SLOT_BYTES, ROOT_SECRET_BYTES,
        SLOT_CBOR_DEPTH, SLOT_CBOR_ITEMS,
    },
};

/// What the slot begins with; the number is the version of all of it.
const DOMAIN: &str = "r3e/1/unlock-sealed-root";
/// What the domains of unlock providers' slots begin with.
const FAMILY: &str = "r3e/";
/// The label of the sealing key.
const SEAL_INFO: &[u8] = b"r3e/1/unlock/aws-kms/seal";
/// The tag of AES-256-GCM.
const TAG_BYTES: usize = 16;
/// The sealed root with its tag.
const SEALED_BYTES: usize = ROOT_SECRET_BYTES + TAG_BYTES;

/// Why what is in the slot cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// Another provider's, or another version's.
    #[error(
        "it holds {domain:?}, not {DOMAIN:?}: it was written by another unlock provider or another version; start with \
         the configuration and the image that wrote it"
    )]
    Other {
        /// What it says it is.
        domain: String,
    },
    /// Not what any provider writes.
    #[error("it holds nothing that an unlock provider wrote: restore the slot that this appliance had")]
    Malformed(#[source] CborError),
    /// A field out of its bounds.
    #[error("its {field} cannot be one: restore the slot that this appliance had")]
    Field {
        /// The field.
        field: &'static str,
    },
    /// Made under another key.
    #[error("it was made under the KMS key {named:?}, not the one in unlock.aws_kms.key_arn")]
    Key {
        /// The key it names.
        named: String,
    },
    /// Made for another appliance.
    #[error(
        "it was made under another encryption context: it is another appliance's, or unlock.aws_kms.appliance changed"
    )]
    Context,
    /// Changed.
    #[error("its seal does not open: the slot was changed, or KMS gave another data key")]
    Seal,
    /// The seal opened, and the root is not the one.
    #[error("the root secret in it is not the one that it commits to")]
    Commitment,
}

/// A slot's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRoot {
    key_arn: String,
    context: [u8; 32],
    ciphertext: Vec<u8>,
    commitment: [u8; COMMITMENT_BYTES],
    nonce: [u8; NONCE_LEN],
    sealed: [u8; SEALED_BYTES],
}

impl SealedRoot {
    /// Seals `root` under a data key that KMS gave with `ciphertext`.
    ///
    /// # Errors
    /// [`KeyError`], in [`KmsError::Key`], if the entropy or the library fails.
    pub(super) fn seal(
        root: &RootSecret,
        policy: &KmsPolicy,
        data_key: &DataKey,
        ciphertext: Vec<u8>,
        entropy: &dyn Entropy,
    ) -> Result<Self, KmsError> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce).map_err(KeyError::Entropy)?;
        let mut slot = Self {
            key_arn: policy.key().as_str().to_owned(),
            context: policy.context_digest(),
            ciphertext,
            commitment: root.commitment()?,
            nonce,
            sealed: [0; SEALED_BYTES],
        };
        let mut bytes = Zeroizing::new(*root.expose());
        let tag = sealing_key(data_key)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(slot.covered()),
                bytes.as_mut_slice(),
            )
            .map_err(|_| KmsError::Library("seal the root secret"))?;
        let (front, back) = slot.sealed.split_at_mut(ROOT_SECRET_BYTES);
        front.copy_from_slice(&*bytes);
        back.copy_from_slice(tag.as_ref());
        Ok(slot)
    }

    /// Opens the seal, and compares the root with its commitment.
    ///
    /// # Errors
    /// [`SlotError::Seal`], [`SlotError::Commitment`]; [`KmsError::Key`] if the library fails.
    pub(super) fn open(&self, data_key: &DataKey) -> Result<RootSecret, KmsError> {
        let mut bytes = Zeroizing::new(self.sealed);
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = sealing_key(data_key)?
            .open_in_place(nonce, Aad::from(self.covered()), bytes.as_mut_slice())
            .map_err(|_| SlotError::Seal)?;
        let root = RootSecret::fill_with(|out| {
            if out.len() != opened.len() {
                return Err(SlotError::Seal);
            }
            out.copy_from_slice(opened);
            Ok(())
        })?;
        match verify_slices_are_equal(&root.commitment()?, &self.commitment) {
            Ok(()) => Ok(root),
            Err(_) => Err(SlotError::Commitment.into()),
        }
    }

    /// What KMS decrypts.
    pub(super) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// Whether it was made under this policy. KMS keeps both too; this says which it is, before KMS is asked.
    ///
    /// # Errors
    /// [`SlotError::Key`], [`SlotError::Context`].
    pub(super) fn check(&self, policy: &KmsPolicy) -> Result<(), SlotError> {
        if self.key_arn != policy.key().as_str() {
            return Err(SlotError::Key { named: self.key_arn.clone() });
        }
        if self.context != policy.context_digest() {
            return Err(SlotError::Context);
        }
        Ok(())
    }

    /// The slot's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = self.fields();
        fields.extend([Value::Bytes(self.nonce.to_vec()), Value::Bytes(self.sealed.to_vec())]);
        encode(&Value::Array(fields))
    }

    /// Reads a slot: the deterministic CBOR array
    /// `[domain, key ARN, SHA-256 of the context, ciphertext, commitment, nonce, sealed root]`.
    ///
    /// # Errors
    /// [`SlotError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SlotError> {
        let limits =
            Limits { max_bytes: MAX_KMS_SLOT_BYTES, max_depth: SLOT_CBOR_DEPTH, max_items: SLOT_CBOR_ITEMS };
        let value = decode_canonical(bytes, &limits).map_err(|error| match other_domain(bytes) {
            Some(domain) => SlotError::Other { domain },
            None => SlotError::Malformed(error),
        })?;
        let mut fields: Vec<Value> = from_value("slot", value).map_err(SlotError::Malformed)?;
        let domain: String = match fields.first().and_then(Value::as_text) {
            Some(domain) => domain.to_owned(),
            None => return Err(SlotError::Field { field: "domain" }),
        };
        if domain != DOMAIN {
            let family = domain.starts_with(FAMILY);
            return Err(if family {
                SlotError::Other { domain }
            } else {
                SlotError::Field { field: "domain" }
            });
        }
        let [key_arn, context, ciphertext, commitment, nonce, sealed]: [Value; 6] =
            fields.split_off(1).try_into().map_err(|_| SlotError::Field { field: "number of fields" })?;
        let slot = Self {
            key_arn: field("key ARN", key_arn)?,
            context: field("context digest", context)?,
            ciphertext: field("ciphertext", ciphertext)?,
            commitment: field("commitment", commitment)?,
            nonce: field("nonce", nonce)?,
            sealed: field("sealed root", sealed)?,
        };
        if slot.key_arn.len() > MAX_KEY_ARN_BYTES {
            return Err(SlotError::Field { field: "key ARN" });
        }
        if slot.ciphertext.is_empty() || slot.ciphertext.len() > MAX_KMS_CIPHERTEXT_BYTES {
            return Err(SlotError::Field { field: "ciphertext" });
        }
        Ok(slot)
    }

    /// All that the seal covers beside the root: everything before the nonce.
    fn covered(&self) -> Vec<u8> {
        encode(&Value::Array(self.fields()))
    }

    fn fields(&self) -> Vec<Value> {
        vec![
            DOMAIN.into(),
            self.key_arn.as_str().into(),
            Value::Bytes(self.context.to_vec()),
            Value::Bytes(self.ciphertext.clone()),
            Value::Bytes(self.commitment.to_vec()),
        ]
    }
}

fn field<T: r3e_cbor::FromValue>(field: &'static str, value: Value) -> Result<T, SlotError> {
    from_value(field, value).map_err(|_| SlotError::Field { field })
}

/// The domain of a slot that is larger or deeper than ours, by its first bytes: an array, then a text.
fn other_domain(bytes: &[u8]) -> Option<String> {
    let [array, rest @ ..] = bytes else { return None };
    if array >> 5 != 4 {
        return None;
    }
    let (length, text) = match rest {
        [head @ 0x60..=0x77, text @ ..] => (usize::from(head & 0x1f), text),
        [0x78, length, text @ ..] => (usize::from(*length), text),
        _ => return None,
    };
    let text = std::str::from_utf8(text.get(..length)?).ok()?;
    (text.starts_with(FAMILY) && text != DOMAIN).then(|| text.to_owned())
}

/// The key that seals the root: of the data key, for this purpose alone.
fn sealing_key(data_key: &DataKey) -> Result<LessSafeKey, KmsError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, data_key.as_slice())
        .expand(SEAL_INFO, key.as_mut_slice())
        .map_err(|_| KmsError::Library("derive the sealing key"))?;
    let unbound = UnboundKey::new(&AES_256_GCM, key.as_slice());
    Ok(LessSafeKey::new(unbound.map_err(|_| KmsError::Library("take a key of 32 bytes"))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxError;

    struct Constant;

    impl Entropy for Constant {
        fn fill(&self, out: &mut [u8]) -> Result<(), BoxError> {
            out.fill(3);
            Ok(())
        }
    }

    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn policy() -> KmsPolicy {
        KmsPolicy::new::<&[u8]>(KEY, "alpha", None, &[]).unwrap()
    }

    fn data_key(byte: u8) -> DataKey {
        Zeroizing::new([byte; 32])
    }

    fn root(byte: u8) -> RootSecret {
        RootSecret::from_recovered(&Zeroizing::new([byte; 32]))
    }

    fn slot() -> SealedRoot {
        SealedRoot::seal(&root(7), &policy(), &data_key(9), vec![1; 184], &Constant).unwrap()
    }

    #[test]
    fn a_root_comes_back_with_its_data_key_alone() {
        let read = SealedRoot::decode(&slot().encode()).unwrap();
        assert_eq!(read, slot());
        read.check(&policy()).unwrap();
        let opened = read.open(&data_key(9)).unwrap();
        assert_eq!(opened.expose(), &[7; 32]);
        assert!(matches!(read.open(&data_key(8)), Err(KmsError::Slot(SlotError::Seal))));
    }

    #[test]
    fn a_slot_opens_whole_or_not_at_all() {
        let bytes = slot().encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let opened = SealedRoot::decode(&changed).map(|slot| slot.open(&data_key(9)));
                assert!(!matches!(opened, Ok(Ok(_))), "byte {at}, bit {bit}");
            }
            assert!(SealedRoot::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
        assert!(SealedRoot::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        let other = SealedRoot {
            sealed: SealedRoot::seal(&root(8), &policy(), &data_key(9), vec![1; 184], &Constant)
                .unwrap()
                .sealed,
            ..slot()
        };
        assert!(matches!(other.open(&data_key(9)), Err(KmsError::Slot(SlotError::Seal))));
    }

    #[test]
    fn a_commitment_to_another_root_is_found() {
        // Sealed by somebody who has the data key.
        let mut slot = SealedRoot { commitment: [0; 32], ..slot() };
        let mut bytes = [7; 32];
        let tag = sealing_key(&data_key(9))
            .unwrap()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(slot.nonce),
                Aad::from(slot.covered()),
                &mut bytes,
            )
            .unwrap();
        slot.sealed[..32].copy_from_slice(&bytes);
        slot.sealed[32..].copy_from_slice(tag.as_ref());
        assert!(matches!(slot.open(&data_key(9)), Err(KmsError::Slot(SlotError::Commitment))));
    }

    #[test]
    fn a_slot_of_somebody_else_is_named() {
        let beta = KmsPolicy::new::<&[u8]>(KEY, "beta", None, &[]).unwrap();
        assert!(matches!(slot().check(&beta), Err(SlotError::Context)));
        let other =
            KmsPolicy::new::<&[u8]>(&KEY.replace("1234abcd", "1234abce"), "alpha", None, &[]).unwrap();
        assert!(matches!(slot().check(&other), Err(SlotError::Key { .. })));

        let array = |fields| encode(&Value::Array(fields));
        let quorum = array(vec!["r3e/1/unlock-attested-setup".into(), Value::Bytes(vec![0; 20_000])]);
        for foreign in [quorum, array(vec!["r3e/2/unlock-sealed-root".into()])] {
            assert!(matches!(SealedRoot::decode(&foreign), Err(SlotError::Other { .. })), "{foreign:x?}");
        }
        for nothing in
            [vec![], vec![0xff; 40], array(vec![]), array(vec!["other".into()]), array(vec![DOMAIN.into()])]
        {
            let refused = SealedRoot::decode(&nothing);
            assert!(
                matches!(refused, Err(SlotError::Malformed(_) | SlotError::Field { .. })),
                "{nothing:x?} {refused:?}"
            );
        }
        let large = SealedRoot { ciphertext: vec![0; MAX_KMS_CIPHERTEXT_BYTES + 1], ..slot() };
        assert!(SealedRoot::decode(&large.encode()).is_err());
        let empty = SealedRoot { ciphertext: vec![], ..slot() };
        assert!(SealedRoot::decode(&empty.encode()).is_err());
    }
}
