//! One tenant's functions, jobs and feeds.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use r3e_feeds::Measures;
use r3e_functions::{DURATION_BOUNDS_US, FunctionCounts, OUTCOMES, REASONS};
use r3e_jobs::CountsOfOne;

use super::families::{Distribution, Families, by, in_seconds, of, seconds};
use super::{ROUNDS, counted, text};
use crate::service::ServiceError;

/// What is one tenant's alone.
#[derive(Debug)]
pub(crate) struct TenantMetrics {
    /// Since when it was counted, in Unix milliseconds.
    pub(crate) started_ms: u64,
    /// Its functions, by name.
    pub(crate) functions: BTreeMap<String, FunctionCounts>,
    /// Its jobs.
    pub(crate) jobs: CountsOfOne,
    /// Its feeds, by name.
    pub(crate) feeds: Vec<Measures>,
}

impl TenantMetrics {
    /// As OpenMetrics text.
    ///
    /// # Errors
    /// [`ServiceError::Internal`].
    pub(crate) fn into_text(self) -> Result<String, ServiceError> {
        text(self)
    }

    fn functions(&self, to: &mut Families<'_>) -> fmt::Result {
        let invocations = self.functions.iter().flat_map(|(name, counts)| {
            let each = OUTCOMES.into_iter().zip(counts.ended.outcomes);
            each.map(move |(outcome, count)| ([("function", name.as_str()), ("outcome", outcome)], count))
        });
        to.counters(
            &of("r3e_function_invocations", "Invocations of a function by what its receipt says"),
            invocations,
        )?;
        let rejected = self.functions.iter().flat_map(|(name, counts)| {
            let each = REASONS.into_iter().zip(counts.ended.reasons);
            each.map(move |(reason, count)| ([("function", name.as_str()), ("reason", reason)], count))
        });
        to.counters(
            &of("r3e_function_rejected", "Events that were not handed to a function, and why"),
            rejected,
        )?;
        to.histograms(
            &in_seconds(
                "r3e_function_duration",
                "From an event's arrival to the end of its invocation, waiting included",
            ),
            self.functions.iter().map(|(name, counts)| (named("function", name), durations(counts))),
        )?;
        to.counters(
            &in_seconds("r3e_function_cpu", "CPU time that a function's invocations took"),
            self.functions.iter().map(|(name, counts)| (named("function", name), seconds(counts.cpu_us))),
        )
    }

    fn jobs(&self, to: &mut Families<'_>) -> fmt::Result {
        let CountsOfOne { queued, running, dead_letters, succeeded, dead, cancelled } = self.jobs;
        to.gauges(
            &of("r3e_jobs", "Jobs that have not ended"),
            by("state", ["queued", "running"], [queued, running]),
        )?;
        to.value(
            &of("r3e_jobs_dead_letters", "Jobs that ended without a result and are kept"),
            dead_letters,
        )?;
        let outcomes = ["succeeded", "dead", "cancelled"];
        to.counters(
            &of("r3e_jobs_ended", "Jobs that have ended, and how"),
            by("outcome", outcomes, [succeeded, dead, cancelled]),
        )
    }

    fn feeds(&self, to: &mut Families<'_>) -> fmt::Result {
        let latest = || self.feeds.iter().filter_map(|feed| Some((named("feed", &feed.name), feed.latest?)));
        to.gauges(
            &of("r3e_feed_sequence", "The sequence of a feed's latest report; absent before the first"),
            latest().map(|(feed, (sequence, _))| (feed, sequence)),
        )?;
        to.gauges(
            &in_seconds(
                "r3e_feed_last_report_timestamp",
                "When the sources of a feed's latest report were compared, in Unix time",
            ),
            latest().map(|(feed, (_, observed_at_s))| (feed, observed_at_s)),
        )?;
        to.gauges(
            &of("r3e_feed_paused", "1 where a feed asks nobody, 0 where it does"),
            self.feeds.iter().map(|feed| (named("feed", &feed.name), u64::from(feed.is_paused))),
        )?;
        let rounds = self.feeds.iter().flat_map(|feed| {
            let results = ROUNDS.into_iter().zip(counted(feed.rounds));
            results.map(|(result, count)| ([("feed", feed.name.as_str()), ("result", result)], count))
        });
        to.counters(&of("r3e_feed_rounds", "Rounds of a feed by what they came to"), rounds)
    }
}

impl Collector for TenantMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = Families(encoder);
        to.began(self.started_ms)?;
        self.functions(&mut to)?;
        self.jobs(&mut to)?;
        self.feeds(&mut to)
    }
}

fn named<'a>(label: &'static str, name: &'a str) -> [(&'static str, &'a str); 1] {
    [(label, name)]
}

fn durations(counts: &FunctionCounts) -> Distribution {
    Distribution::of(&DURATION_BOUNDS_US, counts.durations, counts.duration_us)
}
