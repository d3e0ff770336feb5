//! The setup: what an enclave makes of a new root secret for the members of its quorum. The parent keeps it, in the clear:
//! the shares in it are sealed to the members' keys, everything else is public.
//!
//! A setup alone proves nothing, since the parent could write one of its own. [`AttestedSetup`] carries the attestation
//! document whose statement names the setup's digest: an enclave made it, and one that measured the same members.

use ciborium::Value;
use r3e_cbor::{MapReader, decode_canonical, from_value};

use super::policy::QuorumPolicy;
use super::{
    ATTESTED_SETUP_DOMAIN, COMMITMENT_BYTES, MAX_MEMBERS, MAX_SETUP_BYTES, SEALED_SHARE_BYTES, SETUP_DOMAIN,
    SETUP_ID_BYTES,
};
use crate::channel::binding::{Digest, digest_fields};
use crate::limits::{MAX_DOCUMENT_BYTES, MAX_SLOT_BYTES};
use crate::wire::{WireError, bytes, limits, map, some, within};

/// A setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Drawn at random: no two setups have the same.
    pub id: [u8; SETUP_ID_BYTES],
    /// For whom.
    pub policy: QuorumPolicy,
    /// The commitment to the root secret: the appliance's identity.
    pub commitment: [u8; COMMITMENT_BYTES],
    /// When it was made, Unix milliseconds by the appliance's clock.
    pub made_at_ms: u64,
    /// The shares, in the order of the members.
    pub shares: Vec<SealedShare>,
}

/// A member's share, sealed to it by HPKE (RFC 9180).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedShare {
    /// [`super::message::share_digest`] of the share.
    pub digest: Digest,
    /// HPKE's `enc`: an X25519 public key.
    pub encapsulated: [u8; 32],
    /// The share's ciphertext with its tag.
    pub ciphertext: [u8; SEALED_SHARE_BYTES],
}

impl Setup {
    /// The setup as bytes: a deterministic CBOR map.
    pub fn encode(&self) -> Vec<u8> {
        let shares = self.shares.iter().map(|share| {
            Value::Array(vec![
                Value::Bytes(share.digest.to_vec()),
                Value::Bytes(share.encapsulated.to_vec()),
                Value::Bytes(share.ciphertext.to_vec()),
            ])
        });
        map([
            (1, some(SETUP_DOMAIN)),
            (2, bytes(self.id)),
            (3, bytes(self.policy.encode())),
            (4, bytes(self.commitment)),
            (5, some(self.made_at_ms)),
            (6, Some(Value::Array(shares.collect()))),
        ])
    }

    /// Reads a setup.
    ///
    /// # Errors
    /// [`WireError`]: not one, or not a share for each member.
    pub fn decode(setup: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(setup, &limits(MAX_SETUP_BYTES, 32 + 4 * MAX_MEMBERS))?;
        let mut fields = MapReader::new("setup", value)?;
        if fields.required::<String>(1)? != SETUP_DOMAIN {
            return Err(WireError::Domain { what: "setup", expected: SETUP_DOMAIN });
        }
        let id = fields.required(2)?;
        let policy = QuorumPolicy::decode(&fields.required::<Vec<u8>>(3)?)?;
        let (commitment, made_at_ms) = (fields.required(4)?, fields.required(5)?);
        let shares: Vec<Value> = fields.required(6)?;
        fields.finish()?;
        if shares.len() != policy.members().len() {
            return Err(WireError::Invalid { what: "shares", why: "there is not one for each member" });
        }
        let share = |value| {
            let [digest, encapsulated, ciphertext]: [Value; 3] = from_value("share", value)?;
            Ok::<_, WireError>(SealedShare {
                digest: from_value("digest of a share", digest)?,
                encapsulated: from_value("encapsulated key of a share", encapsulated)?,
                ciphertext: from_value("ciphertext of a share", ciphertext)?,
            })
        };
        let shares = shares.into_iter().map(share).collect::<Result<_, _>>()?;
        Ok(Self { id, policy, commitment, made_at_ms, shares })
    }

    /// The share at this index, from 1.
    pub fn share(&self, index: u8) -> Option<&SealedShare> {
        self.shares.get(usize::from(index).checked_sub(1)?)
    }

    /// The setup's digest: what its document attests, what members sign, and what they remember.
    pub fn digest(&self) -> Digest {
        setup_digest(&self.encode())
    }
}

/// The digest of a setup's bytes.
pub fn setup_digest(setup: &[u8]) -> Digest {
    digest_fields(&[SETUP_DOMAIN.as_bytes(), setup])
}

/// A setup with the attestation document that names it: what the parent keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedSetup {
    /// The setup's bytes.
    pub setup: Vec<u8>,
    /// The document whose `user_data` is `Statement::UnlockSetup` of the setup's digest.
    pub document: Vec<u8>,
}

impl AttestedSetup {
    /// As it lies in the parent's slot: a deterministic CBOR map.
    pub fn encode(&self) -> Vec<u8> {
        map([
            (1, some(ATTESTED_SETUP_DOMAIN)),
            (2, bytes(self.setup.as_slice())),
            (3, bytes(self.document.as_slice())),
        ])
    }

    /// Reads what lies in the parent's slot.
    ///
    /// # Errors
    /// [`WireError`]: not an attested setup, or over a limit. The setup in it is not read.
    pub fn decode(slot: &[u8]) -> Result<Self, WireError> {
        let value = decode_canonical(slot, &limits(MAX_SLOT_BYTES, 16))?;
        let mut fields = MapReader::new("attested setup", value)?;
        if fields.required::<String>(1)? != ATTESTED_SETUP_DOMAIN {
            return Err(WireError::Domain { what: "attested setup", expected: ATTESTED_SETUP_DOMAIN });
        }
        let attested = Self { setup: fields.required(2)?, document: fields.required(3)? };
        fields.finish()?;
        within("setup", attested.setup.len(), MAX_SETUP_BYTES)?;
        within("document", attested.document.len(), MAX_DOCUMENT_BYTES)?;
        Ok(attested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unlock::policy::Member;

    fn setup(count: u8) -> Setup {
        let member = |number: u8| Member {
            name: format!("{number:0>64}"),
            signing_key: [number; 32],
            encryption_key: [number + 100; 32],
        };
        let share = |number: u8| SealedShare {
            digest: [number; 48],
            encapsulated: [number; 32],
            ciphertext: [number; SEALED_SHARE_BYTES],
        };
        Setup {
            id: [7; SETUP_ID_BYTES],
            policy: QuorumPolicy::new(2, (1..=count).map(member).collect()).unwrap(),
            commitment: [9; COMMITMENT_BYTES],
            made_at_ms: u64::MAX,
            shares: (1..=count).map(share).collect(),
        }
    }

    #[test]
    fn setups_come_back_and_damaged_ones_do_not() {
        for count in [2, 3, 16] {
            let setup = setup(count);
            let encoded = setup.encode();
            assert!(encoded.len() <= MAX_SETUP_BYTES, "{}", encoded.len());
            assert_eq!(Setup::decode(&encoded).as_ref(), Ok(&setup));
            for cut in 0..encoded.len() {
                assert!(Setup::decode(&encoded[..cut]).is_err(), "cut at {cut}");
            }
            let attested = AttestedSetup { setup: encoded, document: vec![1; MAX_DOCUMENT_BYTES] };
            assert!(attested.encode().len() <= MAX_SLOT_BYTES);
            assert_eq!(AttestedSetup::decode(&attested.encode()), Ok(attested));
        }
    }

    #[test]
    fn every_bit_counts() {
        let setup = setup(3);
        let encoded = setup.encode();
        for at in 0..encoded.len() {
            let mut changed = encoded.clone();
            changed[at] ^= 1;
            let read = Setup::decode(&changed);
            assert!(read.is_err() || read.unwrap().digest() != setup.digest(), "byte {at}");
        }
    }

    #[test]
    fn there_is_one_share_for_each_member() {
        let mut fewer = setup(3);
        fewer.shares.pop();
        assert!(Setup::decode(&fewer.encode()).is_err());
        let mut more = setup(3);
        more.shares.push(more.shares[0].clone());
        assert!(Setup::decode(&more.encode()).is_err());
        let whole = setup(3);
        assert_eq!(whole.share(3), whole.shares.last());
        assert_eq!((whole.share(0), whole.share(4)), (None, None));
    }

    #[test]
    fn a_document_over_its_limit_is_refused() {
        let attested = AttestedSetup { setup: setup(2).encode(), document: vec![1; MAX_DOCUMENT_BYTES + 1] };
        assert!(matches!(AttestedSetup::decode(&attested.encode()), Err(WireError::TooLarge { .. })));
        assert!(AttestedSetup::decode(&setup(2).encode()).is_err(), "a setup alone is no attested one");
    }
}
