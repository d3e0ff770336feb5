//! A feed as it is kept: what it is, how far it is, and its reports. Knows nothing of the store.

use r3e_oracle::feed::{FeedDefinition, State};
use r3e_proto::api::feeds::{Publication, Target};
use r3e_proto::report::{REPORT_BYTES, Report};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::FeedsError;
use crate::limits::{PAGE_REPORTS, PAGES};

/// What a feed is. Its definition is whole, so that another release with other venues or defaults changes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) definition: FeedDefinition,
    pub(crate) interval_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) targets: Vec<Target>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) publish: Vec<Publication>,
    pub(crate) public: bool,
    pub(crate) paused: bool,
    pub(crate) created_at_ms: u64,
    pub(crate) changed_at_ms: u64,
}

/// How far a feed is, written with each report. Of a feed that was deleted, the sequence stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) state: State,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_deleted: bool,
}

impl Progress {
    /// What is left of a deleted feed: nothing where it never published.
    pub(crate) fn tombstone(sequence: u64) -> Option<Self> {
        let state = State { sequence, ..State::default() };
        (sequence > 0).then_some(Self { state, is_deleted: true })
    }
}

/// A report that is durable: it stands in the store as the one report of its sequence. Only such a one may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept(Report);

impl Kept {
    /// What is said.
    pub fn report(&self) -> &Report {
        &self.0
    }

    /// A report whose commit stands. To be made by `publish` alone, from what the store has acknowledged.
    pub(crate) fn acknowledged(report: Report) -> Self {
        Self(report)
    }
}

/// Some reports of a feed, of rising sequences: those of one stretch of [`PAGE_REPORTS`] sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page(Vec<Kept>);

impl Page {
    /// Where the page lies that holds a sequence: its place in the ring.
    pub(crate) fn slot(sequence: u64) -> u64 {
        stretch(sequence) % PAGES
    }

    /// The first sequence behind the stretch of one.
    pub(crate) fn next_stretch(sequence: u64) -> u64 {
        (stretch(sequence) + 1).saturating_mul(PAGE_REPORTS).saturating_add(1)
    }

    /// What the store had.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FeedsError> {
        let broken = || FeedsError::Record("a page of reports".to_owned());
        let (reports, []) = bytes.as_chunks::<REPORT_BYTES>() else { return Err(broken()) };
        let read = |report: &[u8; REPORT_BYTES]| Report::decode(report).map(Kept).map_err(|_| broken());
        reports.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The bytes of this page with one more report; those of another stretch make way.
    pub(crate) fn with(&self, report: &Report) -> Vec<u8> {
        let same = |kept: &&Kept| stretch(kept.0.sequence) == stretch(report.sequence);
        let before = self.0.iter().filter(same).map(|kept| kept.0.encode());
        before.chain([report.encode()]).flatten().collect()
    }

    /// The same, in memory, once it stands.
    pub(crate) fn push(&mut self, kept: Kept) {
        self.0.retain(|one| stretch(one.0.sequence) == stretch(kept.0.sequence));
        self.0.push(kept);
    }

    pub(crate) fn reports(&self) -> &[Kept] {
        &self.0
    }
}

/// Which page of all that there ever were.
fn stretch(sequence: u64) -> u64 {
    sequence.saturating_sub(1) / PAGE_REPORTS
}

pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>, FeedsError> {
    serde_json::to_vec(record).map_err(|error| FeedsError::Record(error.to_string()))
}

/// Reads what this appliance wrote.
///
/// # Errors
/// [`FeedsError::Record`]: of another release.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FeedsError> {
    serde_json::from_slice(bytes).map_err(|error| FeedsError::Record(error.to_string()))
}

#[cfg(test)]
mod tests {
    use r3e_proto::report::FeedId;

    use super::*;

    fn report(sequence: u64) -> Report {
        Report {
            feed_id: FeedId::named("f").unwrap(),
            answer: -5,
            confidence: 1,
            decimals: 8,
            observed_at_s: 1,
            valid_until_s: 2,
            sequence,
            sources: 5,
            config_digest: [1; 32],
        }
    }

    #[test]
    fn a_page_holds_one_stretch_and_the_ring_more_than_a_thousand() {
        let mut page = Page::default();
        for sequence in 1..=3 * PAGE_REPORTS {
            let bytes = page.with(&report(sequence));
            page.push(Kept(report(sequence)));
            assert_eq!(Page::decode(&bytes).unwrap(), page);
            let expected = (sequence - 1) % PAGE_REPORTS + 1;
            assert_eq!(page.reports().len() as u64, expected);
        }
        assert_eq!((Page::slot(1), Page::slot(32), Page::slot(33)), (0, 0, 1));
        assert_eq!([1, 32, 33].map(Page::next_stretch), [33, 33, 65]);
        assert_eq!(Page::slot(PAGES * PAGE_REPORTS + 1), 0);
        const { assert!((PAGES - 1) * PAGE_REPORTS >= 1_024) };
        assert!(Page::decode(&[0; REPORT_BYTES]).is_err() && Page::decode(&[0; 3]).is_err());
    }

    #[test]
    fn what_never_published_leaves_nothing() {
        assert_eq!(Progress::tombstone(0), None);
        let left = Progress::tombstone(7).unwrap();
        assert_eq!(decode::<Progress>(&encode(&left).unwrap()).unwrap(), left);
        assert_eq!((left.state.sequence, left.is_deleted), (7, true));
    }
}
