//! Makes attestation documents of the real shape under a root of its own: root, two intermediates, leaf, all on
//! P-384. A [`Spec`] starts out valid; a test changes any part of it, down to single DER bytes, and builds.
//!
//! The DER is written here by hand, not by a library for certificates, since no such library writes the
//! broken ones.
#![allow(dead_code, reason = "each test program that includes the generator uses a part of it")]
#![allow(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

pub(crate) mod certificate;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use certificate::Cert;
use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AppraisalPolicyBuilder, AttestationResult, ReferenceValues, TrustAnchor,
    UnixTime, UnsafeTestRoot, appraise,
};
use r3e_cbor::{Value, encode};

/// When the valid document is made: 2025-06-01T12:00:00Z.
pub(crate) const NOW_SECS: u64 = 1_748_779_200;

/// The same in milliseconds.
pub(crate) const NOW_MS: u64 = NOW_SECS * 1000;

/// A P-384 key, able to sign in both forms.
pub(crate) struct Key {
    der: EcdsaKeyPair,
    fixed: EcdsaKeyPair,
}

impl Key {
    pub(crate) fn generate() -> Self {
        let fixed = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let pkcs8 = fixed.to_pkcs8v1().unwrap();
        Self {
            der: EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8.as_ref()).unwrap(),
            fixed,
        }
    }

    pub(crate) fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        self.der.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    pub(crate) fn sign_fixed(&self, message: &[u8]) -> Vec<u8> {
        self.fixed.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// The uncompressed point, 97 bytes.
    pub(crate) fn point(&self) -> Vec<u8> {
        self.fixed.public_key().as_ref().to_vec()
    }
}

/// Everything that makes a document and its appraisal. The `edit_*` functions run late, on what was built.
pub(crate) struct Spec {
    /// Root first, leaf last.
    pub(crate) certs: Vec<Cert>,
    /// On the certificates above the leaf, and the leaf.
    pub(crate) edit_bundle: fn(&mut Vec<Vec<u8>>, &mut Vec<u8>),
    /// The payload without its certificates.
    pub(crate) payload: Vec<(Value, Value)>,
    /// On the whole payload, before it is signed.
    pub(crate) edit_payload: fn(&mut Vec<(Value, Value)>),
    /// On the payload's bytes, before they are signed.
    pub(crate) edit_payload_bytes: fn(Vec<u8>) -> Vec<u8>,
    pub(crate) protected: Vec<u8>,
    pub(crate) unprotected: Value,
    /// Signs instead of the leaf's key.
    pub(crate) signer: Option<Key>,
    /// What is signed: from the protected header and the payload.
    pub(crate) to_be_signed: fn(&[u8], &[u8]) -> Vec<u8>,
    /// On the four elements of the `COSE_Sign1`, once signed.
    pub(crate) edit_elements: fn(&mut Vec<Value>),
    pub(crate) tag: Option<u64>,
    /// On the finished document.
    pub(crate) edit_bytes: fn(Vec<u8>) -> Vec<u8>,
    /// The releases that the policy accepts: "good" alone.
    pub(crate) releases: Vec<ReferenceValues>,
    /// Edits the policy, which trusts the root and accepts the releases.
    pub(crate) policy: fn(AppraisalPolicyBuilder) -> AppraisalPolicyBuilder,
    pub(crate) at: UnixTime,
}

/// The value that PCR`index` of the valid document has.
pub(crate) fn pcr(index: u8) -> [u8; 48] {
    if index <= 4 || index == 8 { [index + 1; 48] } else { [0; 48] }
}

pub(crate) fn int(value: i64) -> Value {
    Value::Integer(value.into())
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.into())
}

pub(crate) fn bytes(value: &[u8]) -> Value {
    Value::Bytes(value.into())
}

/// The `Sig_structure` of RFC 9052 section 4.4.
pub(crate) fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    encode(&Value::Array(vec![text("Signature1"), bytes(protected), bytes(&[]), bytes(payload)]))
}

impl Spec {
    pub(crate) fn valid() -> Self {
        let pcrs = (0..16_u8).map(|index| (int(index.into()), bytes(&pcr(index)))).collect();
        Self {
            certs: certificate::real_shape(),
            edit_bundle: |_, _| {},
            payload: vec![
                (text("module_id"), text("i-0123456789abcdef0-enc0123456789abcdef")),
                (text("digest"), text("SHA384")),
                (text("timestamp"), Value::Integer(NOW_MS.into())),
                (text("pcrs"), Value::Map(pcrs)),
                (text("public_key"), bytes(b"a public key")),
                (text("user_data"), bytes(b"user data")),
                (text("nonce"), bytes(b"a nonce")),
            ],
            edit_payload: |_| {},
            edit_payload_bytes: |bytes| bytes,
            protected: vec![0xa1, 0x01, 0x38, 0x22],
            unprotected: Value::Map(vec![]),
            signer: None,
            to_be_signed: sig_structure,
            edit_elements: |_| {},
            tag: None,
            edit_bytes: |bytes| bytes,
            releases: vec![ReferenceValues::new("good", pcr(0), pcr(1), pcr(2)).unwrap()],
            policy: |policy| policy,
            at: UnixTime::from_secs(NOW_SECS + 1),
        }
    }

    /// The leaf, last of the certificates.
    pub(crate) fn leaf(&mut self) -> &mut Cert {
        self.certs.last_mut().unwrap()
    }

    /// Sets a field of the payload, whether it is there or not.
    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.remove(key);
        self.payload.push((text(key), value));
    }

    /// Removes a field of the payload.
    pub(crate) fn remove(&mut self, key: &str) {
        self.payload.retain(|(candidate, _)| candidate != &text(key));
    }

    /// Sets one PCR, by any key and value.
    pub(crate) fn set_pcr(&mut self, index: Value, value: Value) {
        let (_, pcrs) = self.payload.iter_mut().find(|(key, _)| key == &text("pcrs")).unwrap();
        let pcrs = pcrs.as_map_mut().unwrap();
        pcrs.retain(|(candidate, _)| candidate != &index);
        pcrs.push((index, value));
    }

    /// Builds the document from `bundle`, the certificates in DER, root first, leaf last.
    pub(crate) fn build_from(&self, mut bundle: Vec<Vec<u8>>) -> Vec<u8> {
        let mut leaf = bundle.pop().unwrap();
        (self.edit_bundle)(&mut bundle, &mut leaf);
        let mut payload = self.payload.clone();
        payload.push((text("certificate"), Value::Bytes(leaf)));
        payload.push((text("cabundle"), Value::Array(bundle.into_iter().map(Value::Bytes).collect())));
        (self.edit_payload)(&mut payload);
        let payload = (self.edit_payload_bytes)(encode(&Value::Map(payload)));
        let signer = self.signer.as_ref().unwrap_or(&self.certs.last().unwrap().key);
        let signature = signer.sign_fixed(&(self.to_be_signed)(&self.protected, &payload));
        let mut elements = vec![
            bytes(&self.protected),
            self.unprotected.clone(),
            Value::Bytes(payload),
            Value::Bytes(signature),
        ];
        (self.edit_elements)(&mut elements);
        let mut value = Value::Array(elements);
        if let Some(tag) = self.tag {
            value = Value::Tag(tag, Box::new(value));
        }
        (self.edit_bytes)(encode(&value))
    }

    /// Builds the document, and the policy that trusts its root. The root is the one that was built, whatever
    /// `edit_bundle` then puts into the document.
    pub(crate) fn build(&self) -> (Vec<u8>, AppraisalPolicy) {
        let bundle = certificate::build(&self.certs);
        let root = UnsafeTestRoot::from_der(&bundle[0]).unwrap();
        let builder = AppraisalPolicy::builder().trust(TrustAnchor::UnsafeTest(root));
        let policy = (self.policy)(builder.accept_releases(self.releases.clone())).build().unwrap();
        (self.build_from(bundle), policy)
    }

    /// Builds and appraises.
    pub(crate) fn appraise(&self) -> Result<AttestationResult, AppraisalError> {
        let (document, policy) = self.build();
        appraise(&document, &policy, self.at)
    }
}
