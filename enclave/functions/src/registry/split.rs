//! Which of the two versions of a split an event goes to.

use r3e_proto::api::identity::TenantId;
use sha2::{Digest as _, Sha256};

/// What is hashed first: no other digest of ours is over the same bytes.
const DOMAIN: &str = "r3e/1/canary";

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw<'a> {
    /// The invocation's id, which is drawn at random.
    Random(&'a [u8; 16]),
    /// The caller's stickiness key: events of one key go to one version for as long as the split stands, and stay with the canary
    /// when its percentage rises.
    Sticky(&'a str),
}

impl Draw<'_> {
    /// Whether the event goes to `canary`, which has so many percent.
    pub(super) fn is_for_canary(self, tenant: TenantId, function: &str, canary: &str, percent: u8) -> bool {
        let (kind, seed) = match self {
            Self::Random(id) => ("random", id.as_slice()),
            Self::Sticky(key) => ("sticky", key.as_bytes()),
        };
        let mut hash = Sha256::new();
        // The canary, too: another one is tried out on others.
        for part in
            [DOMAIN.as_bytes(), kind.as_bytes(), &tenant.0, function.as_bytes(), canary.as_bytes(), seed]
        {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, ..] = digest;
        // 100 parts of 2^32: none is larger than another by more than one in 40 million.
        (u64::from(u32::from_be_bytes([a, b, c, d])) * 100) >> 32 < u64::from(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([1; 16]);

    #[test]
    fn the_parts_are_as_large_as_they_should_be() {
        for percent in [1, 10, 50, 99] {
            let hits = (0..20_000_u128)
                .filter(|id| Draw::Random(&id.to_be_bytes()).is_for_canary(TENANT, "f", "v", percent))
                .count();
            let expected = 200 * usize::from(percent);
            // Six standard deviations of the widest case: fixed inputs, so that it holds always or never.
            assert!(hits.abs_diff(expected) < 424, "{percent} %: {hits} of 20,000");
        }
    }

    #[test]
    fn a_key_stays_where_it_is_while_the_canary_grows() {
        let at = |key: &str, percent| Draw::Sticky(key).is_for_canary(TENANT, "f", "v", percent);
        let keys: Vec<String> = (0..500).map(|number| format!("user-{number}")).collect();
        for key in &keys {
            assert_eq!(at(key, 30), at(key, 30));
            assert!(!at(key, 10) || at(key, 30), "{key} left the canary when it grew");
        }
        let other = |key: &str| Draw::Sticky(key).is_for_canary(TENANT, "f", "another", 30);
        assert!(keys.iter().any(|key| at(key, 30) != other(key)), "another canary is tried out on the same");
        let bob = |key: &str| Draw::Sticky(key).is_for_canary(TenantId([2; 16]), "f", "v", 30);
        assert!(keys.iter().any(|key| at(key, 30) != bob(key)));
    }
}
