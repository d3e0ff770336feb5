//! A feed that publishes what it is told, and outlives the triggers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use r3e_jobs::BoxFuture;
use r3e_proto::api::identity::TenantId;
use r3e_proto::report::{FeedId, Report};
use r3e_triggers::News;
use tokio::sync::watch;

use super::House;

/// The name of the one feed.
const NAME: &str = "neo-usd";
/// Reports that are read at once.
const PAGE: usize = 3;

pub(crate) struct OneFeed {
    reports: Mutex<Vec<Report>>,
    /// Its last sequence; none while there is no such feed.
    last: watch::Sender<Option<u64>>,
    /// The last sequence that was ever used.
    used: AtomicU64,
    /// It cannot be read.
    pub(crate) is_down: AtomicBool,
    /// How often it was read.
    pub(crate) reads: AtomicU64,
}

impl Default for OneFeed {
    fn default() -> Self {
        Self {
            reports: Mutex::default(),
            last: watch::Sender::new(Some(0)),
            used: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            reads: AtomicU64::new(0),
        }
    }
}

impl OneFeed {
    /// Publishes an answer, in hundredths; gives its sequence.
    pub(crate) fn publish(&self, answer: i64) -> u64 {
        let sequence = self.used.fetch_add(1, Ordering::SeqCst) + 1;
        let report = Report {
            feed_id: FeedId::named(NAME).unwrap(),
            answer: i128::from(answer),
            confidence: 3,
            decimals: 2,
            observed_at_s: 1_000 + sequence,
            valid_until_s: 2_000 + sequence,
            sequence,
            sources: 5,
            config_digest: [1; 32],
        };
        self.reports.lock().unwrap().push(report);
        self.last.send_replace(Some(sequence));
        sequence
    }

    /// Deletes it with its reports.
    pub(crate) fn delete(&self) {
        self.reports.lock().unwrap().clear();
        self.last.send_replace(None);
    }

    /// Makes it again.
    pub(crate) fn make(&self) {
        self.last.send_replace(Some(self.used.load(Ordering::SeqCst)));
    }

    /// Keeps its latest reports alone.
    pub(crate) fn forget_all_but(&self, count: usize) {
        let mut reports = self.reports.lock().unwrap();
        let over = reports.len().saturating_sub(count);
        reports.drain(..over);
    }

    fn is_there(&self, feed: &str) -> Option<u64> {
        self.last.borrow().filter(|_| feed == NAME)
    }
}

impl r3e_triggers::Prices for House {
    fn last<'a>(&'a self, _: TenantId, feed: &'a str) -> BoxFuture<'a, Result<Option<u64>, String>> {
        Box::pin(async move { Ok(self.feed.is_there(feed)) })
    }

    fn behind<'a>(
        &'a self,
        _: TenantId,
        feed: &'a str,
        sequence: u64,
    ) -> BoxFuture<'a, Result<Option<Vec<Report>>, String>> {
        Box::pin(async move {
            // Others come between.
            tokio::task::yield_now().await;
            assert!(!self.panics.swap(false, Ordering::SeqCst), "a defect");
            self.feed.reads.fetch_add(1, Ordering::SeqCst);
            if self.feed.is_down.load(Ordering::SeqCst) {
                return Err("nobody answers".into());
            }
            if self.feed.is_there(feed).is_none() {
                return Ok(None);
            }
            let reports = self.feed.reports.lock().unwrap();
            let behind = reports.iter().filter(|report| report.sequence > sequence);
            Ok(Some(behind.take(PAGE).copied().collect()))
        })
    }

    fn wait<'a>(&'a self, _: TenantId, feed: &'a str, news: News) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let is_named = feed == NAME;
            let is_news = |last: &Option<u64>| match (news, last.filter(|_| is_named)) {
                (News::Feed, last) => last.is_some(),
                (News::Behind(sequence), last) => last.is_none_or(|last| last > sequence),
            };
            self.feed.last.subscribe().wait_for(is_news).await.unwrap();
        })
    }
}
