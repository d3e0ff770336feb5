//! What a release says.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};

use super::{ImagePcrs, MAX_CONFIGURATIONS, MAX_PREDECESSORS, MAX_RELEASE_BYTES, RELEASE_DOMAIN, Version};
use crate::channel::binding::Digest;
use crate::limits::DIGEST_BYTES;
use crate::wire::{WireError, limits, within};

/// What an enclave measured of itself before it locked its registers: the values of PCR16 and PCR17.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// PCR16: `pcr_extended_once` of the configuration's digest.
    pub configuration: Digest,
    /// PCR17: `pcr_extended_once` of the digest of the unlock provider's policy bytes.
    pub unlock: Digest,
}

/// A release that keeps every rule: 1 to 16 predecessors, at most 16 pairs of configuration and unlock policy, none twice,
/// and no register that is all zero, as PCR0 to 2 of an enclave in debug mode are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    version: Version,
    pcrs: ImagePcrs,
    minimum_sequence: u64,
    predecessors: Vec<ImagePcrs>,
    configurations: Vec<Measured>,
}

impl Release {
    /// Checks a release.
    ///
    /// # Errors
    /// [`WireError::Invalid`], [`WireError::TooLarge`]: which rule it breaks.
    pub fn new(
        version: Version,
        pcrs: ImagePcrs,
        minimum_sequence: u64,
        predecessors: Vec<ImagePcrs>,
        configurations: Vec<Measured>,
    ) -> Result<Self, WireError> {
        let invalid = |what, why| Err(WireError::Invalid { what, why });
        within("predecessors of the release", predecessors.len(), MAX_PREDECESSORS)?;
        within("configurations of the release", configurations.len(), MAX_CONFIGURATIONS)?;
        if predecessors.is_empty() {
            return invalid("predecessors of the release", "there is none: nothing could hand over to it");
        }
        if std::iter::once(&pcrs).chain(&predecessors).flatten().any(is_zero) {
            return invalid("PCRs of the release", "one is all zero, as in debug mode: that is no image");
        }
        if configurations.iter().any(|pair| is_zero(&pair.configuration) || is_zero(&pair.unlock)) {
            return invalid(
                "configurations of the release",
                "a PCR16 or PCR17 is all zero: nothing was measured",
            );
        }
        if repeats(&predecessors) {
            return invalid("predecessors of the release", "one stands there twice");
        }
        if repeats(&configurations) {
            return invalid("configurations of the release", "one stands there twice");
        }
        Ok(Self { version, pcrs, minimum_sequence, predecessors, configurations })
    }

    /// The version of the successor.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// PCR0 to 2 of the successor.
    pub fn pcrs(&self) -> &ImagePcrs {
        &self.pcrs
    }

    /// The lowest sequence number of the store with which the predecessor may hand over: one that is behind was rolled back.
    pub fn minimum_sequence(&self) -> u64 {
        self.minimum_sequence
    }

    /// PCR0 to 2 of the images that may hand over to the successor.
    pub fn predecessors(&self) -> &[ImagePcrs] {
        &self.predecessors
    }

    /// Pairs of PCR16 and PCR17 between which a handoff may change the measured ones.
    pub fn configurations(&self) -> &[Measured] {
        &self.configurations
    }

    /// Whether an enclave of these PCR0 to 2 may hand over to the successor.
    pub fn succeeds(&self, pcrs: &ImagePcrs) -> bool {
        self.predecessors.contains(pcrs)
    }

    /// Whether an enclave that measured `own` may hand over to, or take over from, one that measured `other`: where both
    /// measured the same, or the release names the other's.
    pub fn allows(&self, own: &Measured, other: &Measured) -> bool {
        own == other || self.configurations.contains(other)
    }

    /// The release's bytes, which are signed: a deterministic CBOR array.
    pub fn encode(&self) -> Vec<u8> {
        let digests = |digests: &[Digest]| {
            Value::Array(digests.iter().map(|digest| Value::Bytes(digest.to_vec())).collect())
        };
        let predecessors = self.predecessors.iter().map(|pcrs| digests(pcrs));
        let configurations =
            self.configurations.iter().map(|pair| digests(&[pair.configuration, pair.unlock]));
        encode(&Value::Array(vec![
            RELEASE_DOMAIN.into(),
            self.version.to_string().into(),
            digests(&self.pcrs),
            self.minimum_sequence.into(),
            Value::Array(predecessors.collect()),
            Value::Array(configurations.collect()),
        ]))
    }

    /// Reads a release's bytes. It says nothing of who signed them.
    ///
    /// # Errors
    /// [`WireError`]: not a release, or one that breaks a rule.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        // The array and its six elements, four items for each image, three for each pair.
        let items = 16 + 4 * (MAX_PREDECESSORS + 1) + 3 * MAX_CONFIGURATIONS;
        let value = decode_canonical(bytes, &limits(MAX_RELEASE_BYTES, items))?;
        let [domain, version, pcrs, minimum_sequence, predecessors, configurations]: [Value; 6] =
            from_value("release", value)?;
        if from_value::<String>("domain of the release", domain)? != RELEASE_DOMAIN {
            return Err(WireError::Domain { what: "release", expected: RELEASE_DOMAIN });
        }
        let version: String = from_value("version of the release", version)?;
        let version = version.parse().map_err(|_| WireError::Invalid {
            what: "version of the release",
            why: "it is not MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-PRERELEASE",
        })?;
        let predecessors: Vec<Value> = from_value("predecessors of the release", predecessors)?;
        let configurations: Vec<Value> = from_value("configurations of the release", configurations)?;
        Self::new(
            version,
            image(pcrs)?,
            from_value("minimum sequence of the release", minimum_sequence)?,
            predecessors.into_iter().map(image).collect::<Result<_, _>>()?,
            configurations.into_iter().map(measured).collect::<Result<_, _>>()?,
        )
    }
}

fn image(value: Value) -> Result<ImagePcrs, WireError> {
    let [zero, one, two]: [Value; 3] = from_value("PCRs of an image", value)?;
    Ok([from_value("PCR0", zero)?, from_value("PCR1", one)?, from_value("PCR2", two)?])
}

fn measured(value: Value) -> Result<Measured, WireError> {
    let [configuration, unlock]: [Value; 2] = from_value("configuration of the release", value)?;
    Ok(Measured { configuration: from_value("PCR16", configuration)?, unlock: from_value("PCR17", unlock)? })
}

fn is_zero(digest: &Digest) -> bool {
    *digest == [0; DIGEST_BYTES]
}

fn repeats<T: PartialEq>(all: &[T]) -> bool {
    all.iter().enumerate().any(|(place, one)| all.iter().take(place).any(|before| before == one))
}
