//! Reference values: the measurements that a known-good image has.

use std::collections::BTreeMap;

use crate::{PolicyError, limits::MAX_RELEASE_NAME_BYTES};

/// The value of one platform configuration register: a SHA-384 digest.
pub type Pcr = [u8; 48];

/// The highest index that a Nitro Secure Module has.
pub const MAX_PCR_INDEX: u8 = 31;

/// The measurements of one release of an image. PCR0 measures the whole image, PCR1 the kernel and the boot
/// RAM disk, PCR2 the application; PCR8, if the image is signed, the signer's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceValues {
    name: String,
    pcrs: BTreeMap<u8, Pcr>,
}

impl ReferenceValues {
    /// The release `name` with its three measurements.
    ///
    /// # Errors
    /// [`PolicyError::ReleaseName`], if `name` is empty, longer than 128 bytes or holds control characters.
    pub fn new(name: &str, pcr0: Pcr, pcr1: Pcr, pcr2: Pcr) -> Result<Self, PolicyError> {
        if !(1..=MAX_RELEASE_NAME_BYTES).contains(&name.len()) || name.chars().any(char::is_control) {
            return Err(PolicyError::ReleaseName);
        }
        Ok(Self { name: name.to_owned(), pcrs: [(0, pcr0), (1, pcr1), (2, pcr2)].into() })
    }

    /// The same release, which must also have `value` in PCR`index`.
    ///
    /// # Errors
    /// [`PolicyError::PcrIndex`], if there is no such PCR; [`PolicyError::PcrConflict`], if it has another
    /// value already.
    pub fn with_pcr(mut self, index: u8, value: Pcr) -> Result<Self, PolicyError> {
        insert(&mut self.pcrs, index, value)?;
        Ok(self)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The measurements by index; 0, 1 and 2 are always there.
    pub const fn pcrs(&self) -> &BTreeMap<u8, Pcr> {
        &self.pcrs
    }
}

/// Adds an expectation to `pcrs`, unless it contradicts one that is there.
pub(crate) fn insert(pcrs: &mut BTreeMap<u8, Pcr>, index: u8, value: Pcr) -> Result<(), PolicyError> {
    if index > MAX_PCR_INDEX {
        return Err(PolicyError::PcrIndex { index });
    }
    if *pcrs.entry(index).or_insert(value) == value {
        Ok(())
    } else {
        Err(PolicyError::PcrConflict { index })
    }
}

/// The indices in `expected` that `found` does not have with the same value, rising.
pub(crate) fn differences(expected: &BTreeMap<u8, Pcr>, found: &BTreeMap<u8, Pcr>) -> Vec<u8> {
    expected
        .iter()
        .filter(|(index, value)| found.get(index) != Some(value))
        .map(|(index, _)| *index)
        .collect()
}
