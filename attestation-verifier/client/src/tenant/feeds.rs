//! Price feeds, as a tenant's channel asks for them.

use std::time::Duration;

use http::Method;
use r3e_proto::api::feeds::{
    Feed, HistoryPage, MakeBatch, Next, OracleKey, Published, SetFeed, SignedBatch, SignedReport,
};

use super::{TenantChannel, path};
use crate::error::ClientError;
use crate::http::Body;

impl TenantChannel {
    /// Every feed, by name.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn feeds(&mut self) -> Result<Vec<Feed>, ClientError> {
        self.get("the list of feeds", "/v1/feeds").await
    }

    /// One feed, with what became of its last round.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn feed(&mut self, name: &str) -> Result<Feed, ClientError> {
        self.get("the feed", &feed_path(name, "")?).await
    }

    /// Makes a feed, or gives it another definition.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where the definition breaks a rule.
    pub async fn set_feed(&mut self, name: &str, definition: &SetFeed) -> Result<Feed, ClientError> {
        self.request_json("the feed", Method::PUT, &feed_path(name, "")?, definition).await
    }

    /// How far a feed's publications are: each contract that its reports are brought to.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn feed_publications(&mut self, name: &str) -> Result<Vec<Published>, ClientError> {
        self.get("the feed's publications", &feed_path(name, "/publications")?).await
    }

    /// Deletes a feed with its reports. Its last sequence is never used again.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn delete_feed(&mut self, name: &str) -> Result<(), ClientError> {
        let path = feed_path(name, "")?;
        self.send("the deletion", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// Has a feed ask nobody, or ask again.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn pause_feed(&mut self, name: &str, paused: bool) -> Result<Feed, ClientError> {
        let path = feed_path(name, if paused { "/pause" } else { "/resume" })?;
        self.request("the feed", Method::POST, &path, Body::Empty).await
    }

    /// The latest report, signed for each of the feed's targets.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn feed_report(&mut self, name: &str) -> Result<SignedReport, ClientError> {
        self.get("the report", &feed_path(name, "/report")?).await
    }

    /// The report of a sequence.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where it is not kept.
    pub async fn feed_report_of(&mut self, name: &str, sequence: u64) -> Result<SignedReport, ClientError> {
        self.get("the report", &feed_path(name, &format!("/report?sequence={sequence}"))?).await
    }

    /// The report that was the latest at a time, in Unix seconds.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where none is kept of that time or before it.
    pub async fn feed_report_at(&mut self, name: &str, at_s: u64) -> Result<SignedReport, ClientError> {
        self.get("the report", &feed_path(name, &format!("/report?at_s={at_s}"))?).await
    }

    /// The latest reports of several feeds, each with the proof that it is one of them, under one signature for each target that all of the feeds have.
    ///
    /// # Errors
    /// [`ClientError`]; `bad_request` where there is no such target, `not_found` where a feed has no report.
    pub async fn feed_batch(&mut self, feeds: &[String]) -> Result<SignedBatch, ClientError> {
        let request = MakeBatch { feeds: feeds.to_vec() };
        self.request_json("the batch", Method::POST, "/v1/feed-batches", &request).await
    }

    /// The latest report once its sequence is over `after`; none where that is not so within `wait`, at most 20 s.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn next_feed_report(
        &mut self,
        name: &str,
        after: u64,
        wait: Duration,
    ) -> Result<Option<SignedReport>, ClientError> {
        // Less than a request may take.
        let wait_s = wait.as_secs().min(20);
        let path = feed_path(name, &format!("/next?after={after}&wait_s={wait_s}"))?;
        let next: Next = self.get("the next report", &path).await?;
        Ok(next.report)
    }

    /// Reports before a sequence, the latest first; at most 128.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn feed_history(
        &mut self,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<HistoryPage, ClientError> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        let path = feed_path(name, &format!("/history?limit={}{before}", limit.clamp(1, 128)))?;
        self.get("the feed's history", &path).await
    }

    /// The keys that sign reports of this tenant's feeds and what its functions were answered, with the document that attests them. It is for those who were not
    /// there, and is to be appraised by them: `r3e-verify report`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn oracle_key(&mut self) -> Result<OracleKey, ClientError> {
        self.get("the oracle's keys", "/v1/oracle-key").await
    }
}

fn feed_path(name: &str, after: &str) -> Result<String, ClientError> {
    path("/v1/feeds/", "a feed's name", name, after)
}
