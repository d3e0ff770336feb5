//! `[handoff]`: whose signatures let this appliance hand its root secret to a successor, and take it from a predecessor.

use r3e_proto::api::identity::PublicKey;
use r3e_proto::release::HandoffPolicy;
use serde::Deserialize;

use super::ConfigurationError;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandoffTable {
    threshold: u8,
    keys: Vec<PublicKey>,
}

impl HandoffTable {
    /// The policy, if it keeps every rule.
    pub(super) fn policy(&self) -> Result<HandoffPolicy, ConfigurationError> {
        HandoffPolicy::new(self.threshold, self.keys.clone()).map_err(ConfigurationError::Handoff)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Configuration;

    const WITHOUT: &str = "[operator]\npublic_key = \"0707070707070707070707070707070707070707070707070707070707070707\"\n\
                           [unlock]\nprovider = \"ephemeral\"\n";

    fn parse(table: &str) -> Result<Configuration, String> {
        Configuration::parse(format!("{WITHOUT}{table}").into_bytes()).map_err(|error| error.to_string())
    }

    fn table(threshold: &str, keys: &[u8]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| format!("{:?}", hex::encode([*key; 32]))).collect();
        format!("[handoff]\nthreshold = {threshold}\nkeys = [{}]\n", keys.join(", "))
    }

    #[test]
    fn without_the_table_nothing_is_handed_over() {
        assert!(parse("").unwrap().handoff().is_none());
    }

    #[test]
    fn the_table_is_a_threshold_and_keys() {
        let configuration = parse(&table("2", &[3, 4, 5])).unwrap();
        let policy = configuration.handoff().unwrap();
        assert_eq!(policy.threshold(), 2);
        assert_eq!(policy.keys().iter().map(|key| key.0).collect::<Vec<_>>(), [[3; 32], [4; 32], [5; 32]]);
    }

    #[test]
    fn a_table_that_lets_anybody_in_or_nobody_is_refused() {
        let sixteen: Vec<u8> = (1..=16).collect();
        assert!(parse(&table("16", &sixteen)).is_ok());
        let too_many: Vec<u8> = (1..=17).collect();
        for (wrong, says) in [
            (table("0", &[3]), "threshold"),
            (table("2", &[3]), "fewer keys"),
            (table("1", &[]), "fewer keys"),
            (table("256", &[3]), "threshold"),
            (table("-1", &[3]), "threshold"),
            (table("1", &[3, 4, 3]), "twice"),
            (table("1", &too_many), "limit of 16"),
            // The neutral point is 0100…; y = 0 has order 4; all ones is no key's encoding.
            (table("1", &[0]), "anybody can sign"),
            (table("1", &[0xff]), "no Ed25519 public key"),
            (table("1", &[3]).replace("0303", "03"), "keys"),
            (table("1", &[3]).replace("keys", "key"), "unknown field"),
            ("[handoff]\nthreshold = 1\n".to_owned(), "keys"),
            (table("1", &[3]) + "witness = true\n", "unknown field"),
        ] {
            let refused = parse(&wrong).unwrap_err();
            assert!(refused.contains(says), "{wrong}: {refused}");
        }
    }
}
