//! Reads documents with other code than that which made them.

use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use ciborium::Value;
use coset::{CborSerializable, CoseSign1};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// The claims of a document, in the order in which they stand.
pub(crate) struct Decoded {
    pub(crate) sign1: CoseSign1,
    pub(crate) claims: Vec<(String, Value)>,
}

pub(crate) fn decode(document: &[u8]) -> Decoded {
    let sign1 = CoseSign1::from_slice(document).unwrap();
    let payload = sign1.payload.as_deref().unwrap();
    let Value::Map(entries) = ciborium::from_reader(payload).unwrap() else { panic!("not a map") };
    let claims = entries.into_iter().map(|(name, value)| (name.into_text().unwrap(), value)).collect();
    Decoded { sign1, claims }
}

impl Decoded {
    pub(crate) fn claim(&self, name: &str) -> &Value {
        &self.claims.iter().find(|(claim, _)| claim == name).unwrap().1
    }

    pub(crate) fn timestamp_ms(&self) -> u64 {
        self.claim("timestamp").as_integer().unwrap().try_into().unwrap()
    }

    pub(crate) fn pcrs(&self) -> Vec<(u64, Vec<u8>)> {
        let entries = self.claim("pcrs").as_map().unwrap().iter();
        let pcr = |(index, value): &(Value, Value)| {
            (index.as_integer().unwrap().try_into().unwrap(), value.as_bytes().unwrap().clone())
        };
        entries.map(pcr).collect()
    }

    /// The leaf and its authorities, leaf first, root last.
    pub(crate) fn chain(&self) -> Vec<Certificate> {
        let bundle = self.claim("cabundle").as_array().unwrap();
        let mut chain = vec![self.claim("certificate")];
        chain.extend(bundle.iter().rev());
        chain.into_iter().map(|der| Certificate::from_der(der.as_bytes().unwrap()).unwrap()).collect()
    }

    /// Whether the document's signature is the leaf's, by coset's own idea of what is signed.
    pub(crate) fn is_signed_by_its_leaf(&self) -> bool {
        let key = public_key(&self.chain()[0]);
        let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key);
        self.sign1.verify_signature(b"", |signature, signed| key.verify(signed, signature)).is_ok()
    }
}

pub(crate) fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let signed = certificate.tbs_certificate().to_der().unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, public_key(issuer));
    certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        && key.verify(&signed, certificate.signature().raw_bytes()).is_ok()
}

fn public_key(certificate: &Certificate) -> Vec<u8> {
    certificate.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes().to_vec()
}
