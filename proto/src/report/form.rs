//! A report's canonical form: fields of fixed length, in order. Numbers are little-endian, as Neo's machine reads bytes as numbers.

use thiserror::Error;

use super::{FeedId, Report};
use crate::limits::MAX_REPORT_DECIMALS;

/// The length of a report.
pub const REPORT_BYTES: usize = 32 + 16 + 16 + 1 + 8 + 8 + 8 + 1 + 32;

/// Why something is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Not as long as a report.
    #[error("a report has {REPORT_BYTES} bytes, not {0}")]
    Length(usize),
    /// A field that no report has.
    #[error("{field}: {rule}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it breaks.
        rule: &'static str,
    },
}

impl Report {
    /// Whether it is one: each number within what every chain can hold with a sign.
    ///
    /// # Errors
    /// [`ReportError::Field`].
    pub fn check(&self) -> Result<(), ReportError> {
        let signed = |number: u64| i64::try_from(number).is_ok();
        let rules = [
            (i128::try_from(self.confidence).is_ok(), "confidence", "it is below 2^127"),
            (self.decimals <= MAX_REPORT_DECIMALS, "decimals", "at most 18"),
            (signed(self.valid_until_s), "valid_until_s", "it is below 2^63"),
            (self.observed_at_s <= self.valid_until_s, "observed_at_s", "it is not after valid_until_s"),
            (self.sequence > 0 && signed(self.sequence), "sequence", "it is from 1 to 2^63 - 1"),
            (self.sources > 0, "sources", "one at least"),
        ];
        match rules.into_iter().find(|(kept, ..)| !kept) {
            Some((_, field, rule)) => Err(ReportError::Field { field, rule }),
            None => Ok(()),
        }
    }

    /// The canonical form.
    pub fn encode(&self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        let mut rest = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            let (head, tail) = std::mem::take(&mut rest).split_at_mut(field.len());
            head.copy_from_slice(field);
            rest = tail;
        };
        put(&self.feed_id.0);
        put(&self.answer.to_le_bytes());
        put(&self.confidence.to_le_bytes());
        put(&[self.decimals]);
        put(&self.observed_at_s.to_le_bytes());
        put(&self.valid_until_s.to_le_bytes());
        put(&self.sequence.to_le_bytes());
        put(&[self.sources]);
        put(&self.config_digest);
        bytes
    }

    /// Reads the canonical form.
    ///
    /// # Errors
    /// [`ReportError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ReportError> {
        let length = ReportError::Length(bytes.len());
        let mut fields = Fields(bytes);
        let report = Self {
            feed_id: FeedId(fields.take().ok_or(length)?),
            answer: i128::from_le_bytes(fields.take().ok_or(length)?),
            confidence: u128::from_le_bytes(fields.take().ok_or(length)?),
            decimals: u8::from_le_bytes(fields.take().ok_or(length)?),
            observed_at_s: u64::from_le_bytes(fields.take().ok_or(length)?),
            valid_until_s: u64::from_le_bytes(fields.take().ok_or(length)?),
            sequence: u64::from_le_bytes(fields.take().ok_or(length)?),
            sources: u8::from_le_bytes(fields.take().ok_or(length)?),
            config_digest: fields.take().ok_or(length)?,
        };
        if !fields.0.is_empty() {
            return Err(length);
        }
        report.check()?;
        Ok(report)
    }
}

/// What is left to be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
