//! What a release says.

use ciborium::Value;
use r3e_cbor::{decode_canonical, encode, from_value};

use super::{
    IDENTITY_BYTES, ImagePcrs, MAX_CHANGES, MAX_PREDECESSORS, MAX_RELEASE_BYTES, RELEASE_DOMAIN, Version,
};
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

/// One change that a release lets be made: an appliance that measured `from` may be succeeded by an enclave that measured
/// `to`. Not the other way, and between no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What the predecessor measured.
    pub from: Measured,
    /// What the successor measured.
    pub to: Measured,
}

/// A release that keeps every rule: 1 to 16 predecessors, at most 16 changes, none twice, no change that leads to what
/// another leads away from, and no register that is all zero, as PCR0 to 2 of an enclave in debug mode are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    version: Version,
    pcrs: ImagePcrs,
    minimum_sequence: u64,
    predecessors: Vec<ImagePcrs>,
    changes: Vec<Change>,
    appliance: Option<[u8; IDENTITY_BYTES]>,
}

impl Release {
    /// Checks a release. It is for any appliance, until [`Self::for_appliance`] says for which.
    ///
    /// # Errors
    /// [`WireError::Invalid`], [`WireError::TooLarge`]: which rule it breaks.
    pub fn new(
        version: Version,
        pcrs: ImagePcrs,
        minimum_sequence: u64,
        predecessors: Vec<ImagePcrs>,
        changes: Vec<Change>,
    ) -> Result<Self, WireError> {
        let invalid = |what, why| Err(WireError::Invalid { what, why });
        within("predecessors of the release", predecessors.len(), MAX_PREDECESSORS)?;
        within("changes of the release", changes.len(), MAX_CHANGES)?;
        if predecessors.is_empty() {
            return invalid("predecessors of the release", "there is none: nothing could hand over to it");
        }
        if std::iter::once(&pcrs).chain(&predecessors).flatten().any(is_zero) {
            return invalid("PCRs of the release", "one is all zero, as in debug mode: that is no image");
        }
        if changes.iter().flat_map(Change::registers).any(is_zero) {
            return invalid("changes of the release", "a PCR16 or PCR17 is all zero: nothing was measured");
        }
        if repeats(&predecessors) {
            return invalid("predecessors of the release", "one stands there twice");
        }
        if repeats(&changes) {
            return invalid("changes of the release", "one stands there twice");
        }
        // Whoever carries a release uses it as often as they like: what it changes, it must not change back.
        if changes.iter().any(|one| changes.iter().any(|other| one.to == other.from)) {
            return invalid(
                "changes of the release",
                "one leads to what another leads away from, or to itself: with one release the way is one way",
            );
        }
        Ok(Self { version, pcrs, minimum_sequence, predecessors, changes, appliance: None })
    }

    /// The same, for the appliance of this identity alone.
    #[must_use]
    pub fn for_appliance(self, identity: [u8; IDENTITY_BYTES]) -> Self {
        Self { appliance: Some(identity), ..self }
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

    /// What a handoff may change of PCR16 and PCR17, and in which direction.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The identity of the one appliance that it is for, the commitment of its root secret; none for any.
    pub fn appliance(&self) -> Option<&[u8; IDENTITY_BYTES]> {
        self.appliance.as_ref()
    }

    /// Whether an enclave of these PCR0 to 2 may hand over to the successor.
    pub fn succeeds(&self, pcrs: &ImagePcrs) -> bool {
        self.predecessors.contains(pcrs)
    }

    /// Whether an appliance that measured `from` may hand over to an enclave that measured `to`: where both measured the
    /// same, or the release names this very change.
    pub fn leads(&self, from: &Measured, to: &Measured) -> bool {
        from == to || self.changes.contains(&Change { from: *from, to: *to })
    }

    /// Whether it is for the appliance of this identity.
    pub fn is_for(&self, identity: &[u8; IDENTITY_BYTES]) -> bool {
        self.appliance.as_ref().is_none_or(|appliance| appliance == identity)
    }

    /// The release's bytes, which are signed: a deterministic CBOR array.
    pub fn encode(&self) -> Vec<u8> {
        let digests = |digests: &[Digest]| {
            Value::Array(digests.iter().map(|digest| Value::Bytes(digest.to_vec())).collect())
        };
        let predecessors = self.predecessors.iter().map(|pcrs| digests(pcrs));
        let changes =
            self.changes.iter().map(|change| digests(&change.registers().map(|register| *register)));
        let appliance = self.appliance.map_or_else(Vec::new, |identity| identity.to_vec());
        encode(&Value::Array(vec![
            RELEASE_DOMAIN.into(),
            self.version.to_string().into(),
            digests(&self.pcrs),
            self.minimum_sequence.into(),
            Value::Array(predecessors.collect()),
            Value::Array(changes.collect()),
            Value::Bytes(appliance),
        ]))
    }

    /// Reads a release's bytes. It says nothing of who signed them.
    ///
    /// # Errors
    /// [`WireError`]: not a release, or one that breaks a rule.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        // The array and its seven elements, four items for each image, five for each change.
        let items = 16 + 4 * (MAX_PREDECESSORS + 1) + 5 * MAX_CHANGES;
        let value = decode_canonical(bytes, &limits(MAX_RELEASE_BYTES, items))?;
        let [domain, version, pcrs, minimum_sequence, predecessors, changes, appliance]: [Value; 7] =
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
        let changes: Vec<Value> = from_value("changes of the release", changes)?;
        let release = Self::new(
            version,
            image(pcrs)?,
            from_value("minimum sequence of the release", minimum_sequence)?,
            predecessors.into_iter().map(image).collect::<Result<_, _>>()?,
            changes.into_iter().map(change).collect::<Result<_, _>>()?,
        )?;
        Ok(Self { appliance: identity(appliance)?, ..release })
    }
}

impl Change {
    /// PCR16 and PCR17 before, PCR16 and PCR17 after: the order in which they are written.
    fn registers(&self) -> [&Digest; 4] {
        [&self.from.configuration, &self.from.unlock, &self.to.configuration, &self.to.unlock]
    }
}

fn image(value: Value) -> Result<ImagePcrs, WireError> {
    let [zero, one, two]: [Value; 3] = from_value("PCRs of an image", value)?;
    Ok([from_value("PCR0", zero)?, from_value("PCR1", one)?, from_value("PCR2", two)?])
}

fn change(value: Value) -> Result<Change, WireError> {
    let [from16, from17, to16, to17]: [Value; 4] = from_value("change of the release", value)?;
    Ok(Change { from: measured(from16, from17)?, to: measured(to16, to17)? })
}

fn measured(configuration: Value, unlock: Value) -> Result<Measured, WireError> {
    Ok(Measured { configuration: from_value("PCR16", configuration)?, unlock: from_value("PCR17", unlock)? })
}

/// An identity, or none where there are no bytes.
fn identity(value: Value) -> Result<Option<[u8; IDENTITY_BYTES]>, WireError> {
    match value {
        Value::Bytes(none) if none.is_empty() => Ok(None),
        value => Ok(Some(from_value("appliance of the release", value)?)),
    }
}

fn is_zero(digest: &Digest) -> bool {
    *digest == [0; DIGEST_BYTES]
}

fn repeats<T: PartialEq>(all: &[T]) -> bool {
    all.iter().enumerate().any(|(place, one)| all.iter().take(place).any(|before| before == one))
}
