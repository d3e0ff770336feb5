//! The quorum's policy: its threshold and its members. Measured, so that who holds the root secret cannot be changed
//! unseen.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};

use super::{MAX_MEMBERS, MAX_POLICY_BYTES, MIN_THRESHOLD, POLICY_DOMAIN};
use crate::api::is_name;
use crate::channel::binding::{Digest, configuration_digest};
use crate::wire::{WireError, limits};

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What the others call it: a name as `crate::api::is_name` takes it.
    pub name: String,
    /// Ed25519: what it asks for and approves, it signs.
    pub signing_key: [u8; 32],
    /// X25519: its share is sealed to it.
    pub encryption_key: [u8; 32],
}

/// A threshold and members that keep every rule: 2 to 16 members, a threshold of 2 to all of them, and no name or key
/// twice. The order of the members is part of it: a member's index, from 1, is its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumPolicy {
    threshold: u8,
    members: Vec<Member>,
}

impl QuorumPolicy {
    /// Checks a policy.
    ///
    /// # Errors
    /// [`WireError::Invalid`], [`WireError::TooLarge`]: which rule it breaks.
    pub fn new(threshold: u8, members: Vec<Member>) -> Result<Self, WireError> {
        let invalid = |what, why| Err(WireError::Invalid { what, why });
        let count = members.len();
        if count > MAX_MEMBERS {
            return Err(WireError::TooLarge { what: "members of the quorum", len: count, max: MAX_MEMBERS });
        }
        if threshold < MIN_THRESHOLD {
            return invalid(
                "threshold of the quorum",
                "it takes at least 2: with 1, any member has the root secret",
            );
        }
        if usize::from(threshold) > count {
            return invalid("threshold of the quorum", "there are fewer members than it takes");
        }
        for (index, member) in members.iter().enumerate() {
            if !is_name(&member.name) {
                return invalid(
                    "name of a member",
                    "it takes 1 to 64 letters, digits, -, _ and ., not - or . first",
                );
            }
            let before = members.get(..index).unwrap_or_default();
            if before.iter().any(|other| other.name == member.name) {
                return invalid("name of a member", "two members have the same");
            }
            if before.iter().any(|other| other.signing_key == member.signing_key) {
                return invalid(
                    "signing key of a member",
                    "two members have the same, and would count twice",
                );
            }
            if before.iter().any(|other| other.encryption_key == member.encryption_key) {
                return invalid(
                    "encryption key of a member",
                    "two members have the same, and one would hold two shares",
                );
            }
        }
        Ok(Self { threshold, members })
    }

    /// How many members must approve.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The members, in their order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The members with their indices, from 1.
    pub fn indexed(&self) -> impl Iterator<Item = (u8, &Member)> {
        (1..).zip(&self.members)
    }

    /// The member of this name, with its index.
    pub fn member(&self, name: &str) -> Option<(u8, &Member)> {
        self.indexed().find(|(_, member)| member.name == name)
    }

    /// The policy bytes: the domain, then the deterministic CBOR array of threshold and members.
    pub fn encode(&self) -> Vec<u8> {
        let members = self.members.iter().map(|member| {
            Value::Array(vec![
                member.name.as_str().into(),
                Value::Bytes(member.signing_key.to_vec()),
                Value::Bytes(member.encryption_key.to_vec()),
            ])
        });
        let array = Value::Array(vec![self.threshold.into(), Value::Array(members.collect())]);
        [POLICY_DOMAIN.as_bytes(), &encode(&array)].concat()
    }

    /// Reads policy bytes.
    ///
    /// # Errors
    /// [`WireError`]: not a quorum's, or one that breaks a rule.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let Some(array) = bytes.strip_prefix(POLICY_DOMAIN.as_bytes()) else {
            return Err(WireError::Domain { what: "policy", expected: POLICY_DOMAIN });
        };
        let value = decode_canonical(array, &limits(MAX_POLICY_BYTES, 8 + 4 * MAX_MEMBERS))?;
        let [threshold, members]: [Value; 2] = from_value("policy", value)?;
        let members: Vec<Value> = from_value("members", members)?;
        let member = |value| {
            let [name, signing_key, encryption_key]: [Value; 3] = from_value("member", value)?;
            Ok::<_, WireError>(Member {
                name: from_value("name of a member", name)?,
                signing_key: from_value("signing key of a member", signing_key)?,
                encryption_key: from_value("encryption key of a member", encryption_key)?,
            })
        };
        let members = members.into_iter().map(member).collect::<Result<_, _>>()?;
        Self::new(from_value("threshold of the quorum", threshold)?, members)
    }

    /// SHA-384 of the policy bytes: what PCR17 was extended with.
    pub fn digest(&self) -> Digest {
        configuration_digest(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(number: u8) -> Member {
        Member { name: format!("m{number}"), signing_key: [number; 32], encryption_key: [number + 100; 32] }
    }

    fn members(count: u8) -> Vec<Member> {
        (1..=count).map(member).collect()
    }

    #[test]
    fn policies_come_back_as_they_were() {
        for (threshold, count) in [(2, 2), (2, 3), (3, 5), (16, 16)] {
            let policy = QuorumPolicy::new(threshold, members(count)).unwrap();
            let bytes = policy.encode();
            assert!(bytes.starts_with(b"r3e/1/unlock/quorum"));
            assert_eq!(QuorumPolicy::decode(&bytes), Ok(policy));
            for cut in 0..bytes.len() {
                assert!(QuorumPolicy::decode(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            assert!(QuorumPolicy::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        }
    }

    #[test]
    fn the_longest_policy_is_within_its_limit() {
        let long = |number: u8| Member { name: format!("{number:0>64}"), ..member(number) };
        let policy = QuorumPolicy::new(2, (1..=16).map(long).collect()).unwrap();
        assert!(policy.encode().len() <= MAX_POLICY_BYTES);
        assert_eq!(QuorumPolicy::decode(&policy.encode()), Ok(policy));
    }

    #[test]
    fn what_is_no_quorum_is_refused() {
        for (threshold, count) in [(0, 3), (1, 1), (1, 3), (2, 1), (4, 3), (2, 0), (2, 17)] {
            assert!(QuorumPolicy::new(threshold, members(count)).is_err(), "{threshold} of {count}");
        }
        let changed = |change: fn(&mut Member)| {
            let mut members = members(3);
            change(&mut members[2]);
            QuorumPolicy::new(2, members)
        };
        assert!(changed(|_| {}).is_ok());
        assert!(changed(|member| member.name = "m1".into()).is_err());
        assert!(changed(|member| member.signing_key = [1; 32]).is_err());
        assert!(changed(|member| member.encryption_key = [101; 32]).is_err());
        for name in ["", "a b", "\u{1b}[2J", "-a"] {
            let mut members = members(3);
            members[0].name = name.into();
            assert!(QuorumPolicy::new(2, members).is_err(), "{name:?}");
        }
    }

    #[test]
    fn another_order_is_another_policy() {
        let mut turned = members(3);
        turned.reverse();
        let (one, other) = (QuorumPolicy::new(2, members(3)).unwrap(), QuorumPolicy::new(2, turned).unwrap());
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.member("m3").map(|(index, _)| index), Some(3));
        assert_eq!(other.member("m3").map(|(index, _)| index), Some(1));
        assert_eq!(one.member("m4"), None);
    }
}
