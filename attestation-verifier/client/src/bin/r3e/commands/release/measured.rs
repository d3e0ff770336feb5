//! What an enclave's configuration measures, computed from the file alone; and whose signatures its `[handoff]` counts.

use std::path::Path;

use r3e_proto::api::identity::PublicKey;
use r3e_proto::channel::binding::{Digest, configuration_digest, pcr_extended_once};
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use r3e_proto::release::{HandoffPolicy, IDENTITY_BYTES, Measured, ReleaseError};
use r3e_proto::unlock::EPHEMERAL_POLICY;
use r3e_proto::unlock::policy::{Member, QuorumPolicy};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::CliError;
use crate::limits::MAX_ATTESTED_FILE_BYTES;
use crate::profile::read_limited;

/// The parts of a configuration that matter here; the enclave reads the rest, and refuses what it does not know.
#[derive(Deserialize)]
struct WithUnlock {
    unlock: Unlock,
}

#[derive(Deserialize)]
struct Unlock {
    provider: String,
    quorum: Option<Quorum>,
}

#[derive(Deserialize)]
struct Quorum {
    threshold: u8,
    member: Vec<QuorumMember>,
}

#[derive(Deserialize)]
struct QuorumMember {
    name: String,
    signing_key: PublicKey,
    encryption_key: PublicKey,
}

#[derive(Deserialize)]
struct WithHandoff {
    handoff: Option<Handoff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handoff {
    threshold: u8,
    keys: Vec<PublicKey>,
}

/// What `r3e enclave attest --json` says of an appliance, as far as it matters here.
#[derive(Deserialize)]
struct Attested {
    accepted: bool,
    debug: bool,
    pcrs: std::collections::BTreeMap<u8, String>,
}

/// PCR16 and PCR17 under the configuration in a file; PCR17 is `given` where it cannot be computed from the file.
pub(super) fn of_configuration(path: &Path, given: Option<&Digest>) -> Result<Measured, CliError> {
    let (text, parsed) = configuration::<WithUnlock>(path)?;
    let computed = match (parsed.unlock.provider.as_str(), parsed.unlock.quorum) {
        ("ephemeral", _) => Some(EPHEMERAL_POLICY.to_vec()),
        ("quorum", Some(quorum)) => Some(quorum.policy()?.encode()),
        _ => None,
    };
    let computed = computed.map(|policy| pcr_extended_once(&configuration_digest(&policy)));
    let unlock = computed.or(given.copied()).ok_or_else(|| {
        CliError::Usage(format!(
            "PCR17 under {} is not computed here (unlock.provider = {:?}): take both registers from an appliance that runs \
             it (--from-attested, --to-attested), or give PCR17 (--from-pcr17, --to-pcr17)",
            path.display(),
            parsed.unlock.provider
        ))
    })?;
    Ok(Measured { configuration: pcr_extended_once(&configuration_digest(text.as_bytes())), unlock })
}

/// PCR16 and PCR17 of an appliance that was attested: a file of `r3e enclave attest --json`.
pub(super) fn of_attested(path: &Path) -> Result<Measured, CliError> {
    let wrong = |what: &str| {
        CliError::Usage(format!("{} is no output of `r3e enclave attest --json`: {what}", path.display()))
    };
    let text = read_limited(path, MAX_ATTESTED_FILE_BYTES)
        .map_err(|source| CliError::Io { what: path.display().to_string(), source })?;
    let attested: Attested = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    if !attested.accepted || attested.debug {
        return Err(wrong("the appliance was not accepted, or is in debug mode"));
    }
    let pcr = |index| {
        let digits = attested.pcrs.get(&index).ok_or_else(|| wrong("it has no PCR16 or PCR17"))?;
        digest(digits).map_err(|rule| wrong(&rule))
    };
    Ok(Measured { configuration: pcr(16)?, unlock: pcr(17)? })
}

/// The policy of the `[handoff]` in a configuration.
pub(super) fn handoff(path: &Path) -> Result<HandoffPolicy, CliError> {
    let (_, parsed) = configuration::<WithHandoff>(path)?;
    let table = parsed.handoff.ok_or_else(|| {
        CliError::Usage(format!(
            "{} has no [handoff]: an appliance that runs it hands over to nothing, and takes over from nothing",
            path.display()
        ))
    })?;
    Ok(HandoffPolicy::new(table.threshold, table.keys).map_err(ReleaseError::from)?)
}

/// A register's value, 96 hex digits.
pub(super) fn digest(digits: &str) -> Result<Digest, String> {
    let mut digest = [0; 48];
    hex::decode_to_slice(digits, &mut digest).map_err(|_| "a register takes 96 hex digits".to_owned())?;
    Ok(digest)
}

/// An appliance's identity, 64 hex digits.
pub(super) fn identity(digits: &str) -> Result<[u8; IDENTITY_BYTES], String> {
    let mut identity = [0; IDENTITY_BYTES];
    hex::decode_to_slice(digits, &mut identity)
        .map_err(|_| "an identity takes 64 hex digits, as `r3e enclave status` shows it".to_owned())?;
    Ok(identity)
}

fn configuration<T: DeserializeOwned>(path: &Path) -> Result<(String, T), CliError> {
    let text = read_limited(path, MAX_CONFIGURATION_BYTES as u64)
        .map_err(|source| CliError::Io { what: path.display().to_string(), source })?;
    let parsed = toml::from_str(&text).map_err(|error| {
        CliError::Usage(format!("{} is no configuration of an enclave: {}", path.display(), error.message()))
    })?;
    Ok((text, parsed))
}

impl Quorum {
    fn policy(self) -> Result<QuorumPolicy, CliError> {
        let member = |member: QuorumMember| Member {
            name: member.name,
            signing_key: member.signing_key.0,
            encryption_key: member.encryption_key.0,
        };
        let members = self.member.into_iter().map(member).collect();
        QuorumPolicy::new(self.threshold, members)
            .map_err(|error| CliError::Usage(format!("[unlock.quorum]: {error}")))
    }
}
