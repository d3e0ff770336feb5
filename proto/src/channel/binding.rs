//! The binding: one digest of everything that makes a session this session.
//!
//! An attacker in the middle has two TLS sessions with two exporter values, so evidence made for one never fits the
//! other; that is what a quote over a nonce and a key alone does not give (the relay attack of CVE-2026-33697).

use sha2::{Digest as _, Sha384};

use crate::limits::{DIGEST_BYTES, NONCE_BYTES};

use super::EXPORTER_BYTES;

/// A SHA-384 digest.
pub type Digest = [u8; DIGEST_BYTES];

/// The domain of a session's binding, its first field.
pub const SESSION_DOMAIN: &str = "r3e/1/session";
/// The domain of the binding in evidence that anyone may ask for without a session.
pub const PUBLIC_DOMAIN: &str = "r3e/1/public";

/// Who attests itself in a session. Both ends may, when two appliances speak; the role keeps their bindings apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The end that accepted the TLS connection.
    Server,
    /// The end that opened it.
    Client,
}

/// What a session's binding is made of.
#[derive(Debug, Clone, Copy)]
pub struct SessionBinding<'a> {
    /// Who attests itself.
    pub role: Role,
    /// The Relying Party's nonce.
    pub nonce: &'a [u8; NONCE_BYTES],
    /// `TLS-Exporter(EXPORTER_LABEL, nonce, 32)`.
    pub exporter: &'a [u8; EXPORTER_BYTES],
    /// The SubjectPublicKeyInfo (DER) of the attesting end's certificate.
    pub spki: &'a [u8],
    /// The ALPN name that was negotiated.
    pub alpn: &'a [u8],
    /// SHA-384 of the measured configuration.
    pub configuration: &'a Digest,
    /// The attesting end's HPKE public key, empty where it offers none.
    pub hpke_public_key: &'a [u8],
}

impl SessionBinding<'_> {
    /// The binding: SHA-384 over the fields, each behind its length.
    pub fn digest(&self) -> Digest {
        let role: &[u8] = match self.role {
            Role::Server => b"server",
            Role::Client => b"client",
        };
        digest_fields(&[
            SESSION_DOMAIN.as_bytes(),
            role,
            self.nonce,
            self.exporter,
            self.spki,
            self.alpn,
            self.configuration,
            self.hpke_public_key,
        ])
    }
}

/// The binding of evidence given outside a session, to whoever asks: fresh by its nonce, and saying which TLS key
/// the appliance uses, but bound to no session. It must never open a channel.
pub fn public_binding(nonce: &[u8; NONCE_BYTES], spki: &[u8], configuration: &Digest) -> Digest {
    digest_fields(&[PUBLIC_DOMAIN.as_bytes(), nonce, spki, configuration])
}

/// SHA-384 over fields, each preceded by its length as a 32-bit big-endian number, so that no two lists of fields
/// give the same bytes.
pub fn digest_fields(fields: &[&[u8]]) -> Digest {
    let mut hash = Sha384::new();
    for field in fields {
        // Every field we bind is bounded far below 4 GiB by `limits`.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        hash.update(length.to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// The digest of a configuration, as PCR16 measures it and every binding carries it.
pub fn configuration_digest(configuration: &[u8]) -> Digest {
    Sha384::digest(configuration).into()
}

/// The value of a PCR that was zero and was extended once with `data`: SHA-384(48 zero bytes, data).
pub fn pcr_extended_once(data: &[u8]) -> Digest {
    let mut hash = Sha384::new();
    hash.update([0u8; DIGEST_BYTES]);
    hash.update(data);
    hash.finalize().into()
}
