//! A member of an unlock quorum, written from the protocol's text: its keys, its key file, its signatures and its share.
//! The product's own client does none of what is wrong, so it could not show what an enclave does with such a member.

use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_client::write_private_new;
use r3e_proto::channel::binding::Digest;
use r3e_proto::unlock::message::{approve_message, init_message, seal_aad, seal_info, share_digest};
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use r3e_proto::unlock::setup::Setup;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey};
use serde_json::{Value, json};

/// RFC 8410 section 7: what stands before the 32 bytes of a private key in PKCS#8.
const ED25519_PKCS8: &str = "302e020100300506032b657004220420";
const X25519_PKCS8: &str = "302e020100300506032b656e04220420";

/// A person with a member's keys.
pub struct Person {
    name: String,
    seed: [u8; 32],
    signing: Ed25519KeyPair,
    encryption: Vec<u8>,
    encryption_public: [u8; 32],
}

impl Person {
    /// A person with new keys.
    pub fn new(name: &str) -> Self {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).expect("randomness");
        let (public, private) = DH_KEM_X25519_HKDF_SHA256_AES_256.generate_key_pair().expect("a key");
        Self {
            name: name.to_owned(),
            signing: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key"),
            seed,
            encryption: private.secret_bytes().to_vec(),
            encryption_public: public.0.try_into().expect("32 bytes"),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public halves.
    pub fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            signing_key: self.signing.public_key().as_ref().try_into().expect("32 bytes"),
            encryption_key: self.encryption_public,
        }
    }

    /// Its lines of a configuration.
    pub fn table(&self) -> String {
        let Member { name, signing_key, encryption_key } = self.member();
        format!(
            "[[unlock.quorum.member]]\nname = \"{name}\"\nsigning_key = \"{}\"\nencryption_key = \"{}\"\n",
            hex::encode(signing_key),
            hex::encode(encryption_key)
        )
    }

    /// Writes its key file.
    pub fn write_key_file(&self, path: &Path) {
        let pem = |head: &str, key: &[u8]| {
            let der = [hex::decode(head).expect("hex"), key.to_vec()].concat();
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
        };
        let text = pem(ED25519_PKCS8, &self.seed) + &pem(X25519_PKCS8, &self.encryption);
        write_private_new(path, text.as_bytes()).expect("the key file");
    }

    /// Its share of a setup.
    pub fn share(&self, setup: &Setup) -> [u8; 32] {
        let (index, _) = setup.policy.member(&self.name).expect("a member");
        let sealed = setup.share(index).expect("a share");
        let opened = DH_KEM_X25519_HKDF_SHA256_AES_256.open(
            &EncapsulatedSecret(sealed.encapsulated.to_vec()),
            &seal_info(&setup.id, &self.name, index),
            seal_aad(&setup.commitment),
            &sealed.ciphertext,
            &HpkePrivateKey::from(self.encryption.clone()),
        );
        opened.expect("the share opens").try_into().expect("32 bytes")
    }

    /// What it sends to have a root secret made on the session of `binding`.
    pub fn init(&self, binding: &Digest, policy: &QuorumPolicy) -> Value {
        let signature = self.signing.sign(&init_message(binding, &policy.digest()));
        json!({ "member": self.name, "signature": hex::encode(signature) })
    }

    /// What it sends to approve `setup` with `share` on the session of `binding`.
    pub fn approval(&self, binding: &Digest, setup: &Setup, share: &[u8; 32]) -> Value {
        let index = setup.policy.member(&self.name).map_or(1, |(index, _)| index);
        let digest = share_digest(&setup.id, index, share);
        let signature = self.signing.sign(&approve_message(binding, &setup.digest(), &digest));
        json!({
            "member": self.name,
            "policy": hex::encode(setup.policy.digest()),
            "setup": hex::encode(setup.id),
            "share": hex::encode(share),
            "signature": hex::encode(signature),
        })
    }
}

/// The quorum of these people.
pub fn policy(threshold: u8, people: &[Person]) -> QuorumPolicy {
    QuorumPolicy::new(threshold, people.iter().map(Person::member).collect()).expect("a quorum")
}

/// The same as tables of a configuration.
pub fn tables(threshold: u8, people: &[Person]) -> String {
    let members: String = people.iter().map(Person::table).collect();
    format!("[unlock.quorum]\nthreshold = {threshold}\n{members}\n")
}
