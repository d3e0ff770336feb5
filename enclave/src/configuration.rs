//! The configuration: what the operator decides, handed over by the parent at boot, and therefore measured. PCR16
//! holds its SHA-384, so a client's policy can demand this one and no other.

mod anchor;
mod chains;
mod handoff;
mod unlock;
mod witness;

use std::fmt;

use r3e_ledger::{BillingTable, Terms, TermsError};
use r3e_proto::api::identity::PublicKey;
use r3e_proto::channel::binding::{Digest, configuration_digest};
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_proto::release::HandoffPolicy;
use r3e_proto::restore::RestorePolicy;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use thiserror::Error;

pub(crate) use self::anchor::AnchorChoice;
use self::anchor::AnchorTable;
use self::chains::ChainTable;
pub(crate) use self::chains::{ChainChoice, Node};
use self::handoff::HandoffTable;
pub use self::unlock::UnlockChoice;
use self::unlock::UnlockTable;
pub use self::witness::{PeerChoice, PeersChoice, PeersList, WitnessChoice};
use self::witness::{RestoreTable, WitnessTable};
use crate::limits::{COMPILE_MS, RUNNERS, RUNNERS_MEMORY_MIB, TENANT_SHARE_PERCENT};

/// The configuration as it was measured, and what it says.
#[derive(Clone)]
pub struct Configuration {
    bytes: Vec<u8>,
    digest: Digest,
    settings: Settings,
    unlock: UnlockChoice,
    handoff: Option<HandoffPolicy>,
    witness: WitnessChoice,
    restore: Option<RestorePolicy>,
    extra_roots: Vec<CertificateDer<'static>>,
    billing: Terms,
    chains: Vec<ChainChoice>,
    anchor: Option<AnchorChoice>,
}

/// Why a configuration was refused. The appliance does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Too long.
    #[error("the configuration has {0} bytes, more than {MAX_CONFIGURATION_BYTES}")]
    TooLarge(usize),
    /// Not text.
    #[error("the configuration is not UTF-8 text")]
    NotText,
    /// Not of the form.
    #[error("the configuration is not as `docs/configuration.md` describes: {0}")]
    Form(#[from] toml::de::Error),
    /// A number outside of what the appliance can do.
    #[error("{key} = {value} is not between {min} and {max}")]
    Number {
        /// The setting.
        key: &'static str,
        /// What it says.
        value: u32,
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// The unlock provider's own table is not there.
    #[error("unlock.provider = {provider:?} needs the table [unlock.{table}]")]
    NoUnlockTable {
        /// The provider.
        provider: String,
        /// Its table.
        table: &'static str,
    },
    /// Another unlock provider's table is there.
    #[error("unlock.provider = {provider:?} takes no table [unlock.{table}]")]
    OtherUnlockTable {
        /// The provider.
        provider: String,
        /// The table.
        table: &'static str,
    },
    /// `[unlock.quorum]` is no quorum.
    #[error("[unlock.quorum]: {0}")]
    Quorum(#[from] r3e_proto::WireError),
    /// `[handoff]` is no policy.
    #[error("[handoff]: {0}")]
    Handoff(#[source] r3e_proto::WireError),
    /// `[witness]` is no witness.
    #[error("[witness]: {0}")]
    Witness(String),
    /// `[restore]` is no policy.
    #[error("[restore]: {0}")]
    Restore(#[source] r3e_proto::WireError),
    /// `[billing]` breaks a rule.
    #[error("[billing]: {0}")]
    Billing(#[from] TermsError),
    /// `[[chain]]` breaks a rule.
    #[error("[[chain]]: {0}")]
    Chain(String),
    /// `[anchor]` breaks a rule.
    #[error("[anchor]: {0}")]
    Anchor(String),
    /// `[unlock.aws_kms]` is no policy.
    #[error(transparent)]
    AwsKms(#[from] r3e_keys::kms::PolicyError),
    /// `unlock.aws_kms.roots` is not PEM.
    #[error("unlock.aws_kms.roots holds something other than PEM certificates: {0}")]
    KmsRoots(rustls_pki_types::pem::Error),
    /// `egress.extra_roots` is not PEM.
    #[error("egress.extra_roots holds something other than PEM certificates: {0}")]
    ExtraRoots(rustls_pki_types::pem::Error),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    operator: Operator,
    unlock: UnlockTable,
    handoff: Option<HandoffTable>,
    witness: Option<WitnessTable>,
    restore: Option<RestoreTable>,
    #[serde(default)]
    egress: Egress,
    #[serde(default)]
    functions: Functions,
    #[serde(default)]
    billing: BillingTable,
    #[serde(default)]
    chain: Vec<ChainTable>,
    anchor: Option<AnchorTable>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    public_key: PublicKey,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Egress {
    #[serde(default)]
    extra_roots: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Functions {
    max_runners: u32,
    max_memory_mib: u32,
    tenant_share_percent: u32,
    max_compile_ms: u32,
}

impl Default for Functions {
    fn default() -> Self {
        Self { max_runners: 32, max_memory_mib: 4_096, tenant_share_percent: 33, max_compile_ms: 10_000 }
    }
}

impl Configuration {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`ConfigurationError`]: it says what is wrong, with the line.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ConfigurationError> {
        if bytes.len() > MAX_CONFIGURATION_BYTES {
            return Err(ConfigurationError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| ConfigurationError::NotText)?;
        let settings: Settings = toml::from_str(text)?;
        settings.functions.check()?;
        let extra_roots = CertificateDer::pem_slice_iter(settings.egress.extra_roots.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(ConfigurationError::ExtraRoots)?;
        let witness = settings.witness.as_ref().map(WitnessTable::choice).transpose()?.unwrap_or_default();
        let restore = settings.restore.as_ref().map(RestoreTable::policy).transpose()?;
        let handoff = settings.handoff.as_ref().map(HandoffTable::policy).transpose()?;
        let billing = settings.billing.terms()?;
        let chains = chains::choices(&settings.chain)?;
        let anchor = settings.anchor.as_ref().map(|table| table.choice(&chains)).transpose()?;
        let (unlock, digest) = (settings.unlock.choice()?, configuration_digest(&bytes));
        Ok(Self {
            bytes,
            digest,
            settings,
            unlock,
            handoff,
            witness,
            restore,
            extra_roots,
            billing,
            chains,
            anchor,
        })
    }

    /// The bytes that were measured.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Their SHA-384.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The key that may admit tenants.
    pub fn operator(&self) -> &PublicKey {
        &self.settings.operator.public_key
    }

    /// The unlock provider, and its policy.
    pub fn unlock(&self) -> &UnlockChoice {
        &self.unlock
    }

    /// Whose signatures let this appliance hand its root secret over, and take it over; without it, neither happens.
    pub fn handoff(&self) -> Option<&HandoffPolicy> {
        self.handoff.as_ref()
    }

    /// Who remembers how far this appliance is.
    pub fn witness(&self) -> &WitnessChoice {
        &self.witness
    }

    /// Whose signatures order an older state to be restored; none where nobody's do.
    pub fn restore(&self) -> Option<&RestorePolicy> {
        self.restore.as_ref()
    }

    /// Currency, plans and quotas.
    pub fn billing(&self) -> &Terms {
        &self.billing
    }

    /// The networks that can be followed.
    pub fn chains(&self) -> &[ChainChoice] {
        &self.chains
    }

    /// The contract that remembers how far this appliance was.
    pub(crate) fn anchor(&self) -> Option<&AnchorChoice> {
        self.anchor.as_ref()
    }

    /// Certificates that functions' `fetch` trusts beside the public web's.
    pub fn extra_roots(&self) -> &[CertificateDer<'static>] {
        &self.extra_roots
    }

    /// Runner processes at once.
    pub fn max_runners(&self) -> u32 {
        self.settings.functions.max_runners
    }

    /// Memory that all runner processes together may come to hold, in MiB.
    pub fn max_runners_memory_mib(&self) -> u32 {
        self.settings.functions.max_memory_mib
    }

    /// What one tenant may have of runners and their memory at once, in percent.
    pub fn tenant_share_percent(&self) -> u32 {
        self.settings.functions.tenant_share_percent
    }

    /// How long compiling one function may take.
    pub fn max_compile_ms(&self) -> u32 {
        self.settings.functions.max_compile_ms
    }
}

impl Functions {
    fn check(&self) -> Result<(), ConfigurationError> {
        for (key, value, range) in [
            ("functions.max_runners", self.max_runners, RUNNERS),
            ("functions.max_memory_mib", self.max_memory_mib, RUNNERS_MEMORY_MIB),
            ("functions.tenant_share_percent", self.tenant_share_percent, TENANT_SHARE_PERCENT),
            ("functions.max_compile_ms", self.max_compile_ms, COMPILE_MS),
        ] {
            if !range.contains(&value) {
                let (min, max) = (*range.start(), *range.end());
                return Err(ConfigurationError::Number { key, value, min, max });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration").field("digest", &hex::encode(self.digest)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "[operator]\npublic_key = \"0707070707070707070707070707070707070707070707070707070707070707\"\n\
                           [unlock]\nprovider = \"ephemeral\"\n";

    fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
        Configuration::parse(text.as_bytes().to_vec())
    }

    #[test]
    fn the_minimum_is_an_operator_and_an_unlock_provider() {
        let configuration = parse(MINIMAL).unwrap();
        assert_eq!(configuration.operator(), &PublicKey([7; 32]));
        assert_eq!(configuration.unlock(), &UnlockChoice::Ephemeral);
        assert!(configuration.extra_roots().is_empty());
        assert_eq!(configuration.digest(), &configuration_digest(MINIMAL.as_bytes()));
    }

    #[test]
    fn runners_have_bounds_in_number_memory_and_share() {
        let configuration = parse(MINIMAL).unwrap();
        assert_eq!(configuration.max_runners(), 32);
        assert_eq!(configuration.max_runners_memory_mib(), 4_096);
        assert!(configuration.tenant_share_percent() < 50, "no tenant has half by default");
        for (line, good) in [
            ("max_runners = 4", true),
            ("max_runners = 3", false),
            ("max_runners = 257", false),
            ("max_runners = -1", false),
            ("max_memory_mib = 1024", true),
            ("max_memory_mib = 1023", false),
            ("max_memory_mib = 4294967296", false),
            ("tenant_share_percent = 100", true),
            ("tenant_share_percent = 0", false),
            ("tenant_share_percent = 101", false),
            ("max_compile_ms = 60000", true),
            ("max_compile_ms = 999", false),
            ("max_compile_ms = 60001", false),
        ] {
            assert_eq!(parse(&format!("{MINIMAL}[functions]\n{line}\n")).is_ok(), good, "{line}");
        }
    }

    #[test]
    fn what_it_does_not_know_it_refuses() {
        for wrong in [
            String::new(),
            MINIMAL.replace("operator", "owner"),
            MINIMAL.replace("0707", "07"),
            MINIMAL.replace("0707", "zz07"),
            format!("{MINIMAL}[debug]\nattestation = false\n"),
            format!(
                "{MINIMAL}[egress]\nextra_roots = \"-----BEGIN CERTIFICATE-----\\n!\\n-----END CERTIFICATE-----\"\n"
            ),
            format!("{MINIMAL}{MINIMAL}"),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
        assert!(matches!(
            Configuration::parse(vec![b'#'; MAX_CONFIGURATION_BYTES + 1]),
            Err(ConfigurationError::TooLarge(_))
        ));
        assert!(matches!(Configuration::parse(vec![0xff]), Err(ConfigurationError::NotText)));
    }
}
