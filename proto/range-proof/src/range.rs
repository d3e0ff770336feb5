//! Between which numbers, both included.

use crate::RangeProofError;

/// From a least number to a greatest, which are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    min: u64,
    max: u64,
}

impl Range {
    /// From `min` to `max`. The same number twice is the range of that number alone.
    ///
    /// # Errors
    /// [`RangeProofError::Range`].
    pub fn new(min: u64, max: u64) -> Result<Self, RangeProofError> {
        if min > max { Err(RangeProofError::Range { min, max }) } else { Ok(Self { min, max }) }
    }

    /// The least.
    pub fn min(&self) -> u64 {
        self.min
    }

    /// The greatest.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Whether the number is in it.
    pub fn contains(&self, number: u64) -> bool {
        (self.min..=self.max).contains(&number)
    }

    /// How far the greatest is above the least.
    pub(crate) fn width(&self) -> u64 {
        self.max - self.min
    }
}
