//! `[unlock]`: the provider that releases the root secret, and its own table.

use r3e_keys::kms::KmsPolicy;
use r3e_proto::WireError;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;

use super::ConfigurationError;

/// The provider that a configuration names, with its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnlockChoice {
    /// A new root secret at every boot.
    Ephemeral,
    /// A quorum of members.
    Quorum(QuorumPolicy),
    /// A data key of AWS KMS.
    AwsKms(AwsKmsChoice),
    /// One without a table, that the program may have: none of the production program's is.
    Other(String),
}

/// A policy for AWS KMS, with the roots whose digests it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKmsChoice {
    /// The policy.
    pub policy: KmsPolicy,
    /// Roots that are believed about its server, DER; none means Amazon's.
    pub roots: Vec<CertificateDer<'static>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnlockTable {
    provider: String,
    quorum: Option<QuorumTable>,
    aws_kms: Option<AwsKmsTable>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AwsKmsTable {
    key_arn: String,
    appliance: String,
    endpoint: Option<String>,
    #[serde(default)]
    roots: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuorumTable {
    threshold: u8,
    #[serde(default)]
    member: Vec<MemberTable>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberTable {
    name: String,
    signing_key: PublicKey,
    /// X25519; written in the same way.
    encryption_key: PublicKey,
}

impl UnlockTable {
    /// The choice, if the provider's own table stands there and no other's does: a table that is not used would look as
    /// if it were.
    pub(super) fn choice(&self) -> Result<UnlockChoice, ConfigurationError> {
        let tables = [("quorum", self.quorum.is_some()), ("aws_kms", self.aws_kms.is_some())];
        for (table, stands) in tables {
            let named = self.provider == table_provider(table);
            if stands != named {
                let provider = self.provider.clone();
                return Err(if stands {
                    ConfigurationError::OtherUnlockTable { provider, table }
                } else {
                    ConfigurationError::NoUnlockTable { provider, table }
                });
            }
        }
        match (self.provider.as_str(), &self.quorum, &self.aws_kms) {
            ("ephemeral", ..) => Ok(UnlockChoice::Ephemeral),
            (_, Some(quorum), _) => Ok(UnlockChoice::Quorum(quorum.policy()?)),
            (.., Some(aws_kms)) => Ok(UnlockChoice::AwsKms(aws_kms.choice()?)),
            (other, ..) => Ok(UnlockChoice::Other(other.to_owned())),
        }
    }
}

/// The provider that a table belongs to: a dash in its name is an underscore in TOML's tables, where it needs no quotes.
fn table_provider(table: &str) -> String {
    table.replace('_', "-")
}

impl AwsKmsTable {
    fn choice(&self) -> Result<AwsKmsChoice, ConfigurationError> {
        let roots = CertificateDer::pem_slice_iter(self.roots.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(ConfigurationError::KmsRoots)?;
        let policy = KmsPolicy::new(&self.key_arn, &self.appliance, self.endpoint.as_deref(), &roots)?;
        Ok(AwsKmsChoice { policy, roots })
    }
}

impl QuorumTable {
    fn policy(&self) -> Result<QuorumPolicy, WireError> {
        let member = |member: &MemberTable| Member {
            name: member.name.clone(),
            signing_key: member.signing_key.0,
            encryption_key: member.encryption_key.0,
        };
        QuorumPolicy::new(self.threshold, self.member.iter().map(member).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(text: &str) -> Result<UnlockChoice, String> {
        let table: UnlockTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.choice().map_err(|error| error.to_string())
    }

    fn member(number: u8) -> String {
        let (signing, encryption) = (hex::encode([number; 32]), hex::encode([number + 100; 32]));
        format!(
            "[[quorum.member]]\nname = \"m{number}\"\nsigning_key = \"{signing}\"\nencryption_key = \"{encryption}\"\n"
        )
    }

    fn quorum(threshold: u8, members: u8) -> String {
        let members: String = (1..=members).map(member).collect();
        format!("provider = \"quorum\"\n[quorum]\nthreshold = {threshold}\n{members}")
    }

    #[test]
    fn each_provider_has_its_own_table_and_no_other() {
        assert_eq!(choice("provider = \"ephemeral\""), Ok(UnlockChoice::Ephemeral));
        assert_eq!(choice("provider = \"test\""), Ok(UnlockChoice::Other("test".into())));
        let Ok(UnlockChoice::Quorum(policy)) = choice(&quorum(2, 3)) else { panic!("not a quorum") };
        assert_eq!((policy.threshold(), policy.members().len()), (2, 3));
        assert_eq!(policy.members()[2].encryption_key, [103; 32]);

        let refused = choice("provider = \"quorum\"").unwrap_err();
        assert!(refused.contains("needs the table [unlock.quorum]"), "{refused}");
        let other = quorum(2, 3).replace("provider = \"quorum\"", "provider = \"ephemeral\"");
        let refused = choice(&other).unwrap_err();
        assert!(refused.contains("takes no table [unlock.quorum]"), "{refused}");
    }

    #[test]
    fn aws_kms_takes_a_key_and_a_name() {
        let table = "provider = \"aws-kms\"\n[aws_kms]\nappliance = \"alpha\"\n\
                     key_arn = \"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\"\n";
        let Ok(UnlockChoice::AwsKms(chosen)) = choice(table) else { panic!("not aws-kms") };
        assert_eq!(chosen.policy.host(), "kms.eu-central-1.amazonaws.com");
        assert_eq!(chosen.roots, []);
        let elsewhere = format!("{table}endpoint = \"kms.example.com:8443\"\n");
        let Ok(UnlockChoice::AwsKms(chosen)) = choice(&elsewhere) else { panic!("not aws-kms") };
        assert_eq!((chosen.policy.host(), chosen.policy.port()), ("kms.example.com", 8443));
        for (wrong, says) in [
            (table.replace("key/", "alias/"), "full key ARN"),
            (table.replace("alpha", "al pha"), "unlock.aws_kms.appliance"),
            (format!("{table}endpoint = \"https://kms\"\n"), "unlock.aws_kms.endpoint"),
            (format!("{table}region = \"eu-central-1\"\n"), "unknown field"),
            (table.replace("aws-kms", "ephemeral"), "takes no table [unlock.aws_kms]"),
            ("provider = \"aws-kms\"".to_owned(), "needs the table [unlock.aws_kms]"),
        ] {
            let refused = choice(&wrong).unwrap_err();
            assert!(refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn a_quorum_that_is_none_is_refused() {
        for (threshold, members) in [(1, 3), (0, 3), (4, 3), (2, 0), (2, 17)] {
            assert!(choice(&quorum(threshold, members)).is_err(), "{threshold} of {members}");
        }
        for (from, to) in
            [("m1", "m2"), ("threshold = 2", "threshold = 256"), ("0101", "01"), ("name", "nom")]
        {
            assert!(choice(&quorum(2, 3).replacen(from, to, 1)).is_err(), "{to}");
        }
        assert!(choice(&format!("{}{}", quorum(2, 3), member(1))).is_err(), "a member twice");
    }
}
