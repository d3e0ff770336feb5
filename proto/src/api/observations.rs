//! What can be seen of a function's invocations afterwards: their logs, what they took, and where the time of one went. All of it
//! is in memory, is bounded, and ends with the appliance's process; what must last is in the receipts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::functions::{LogEntry, Usage};

/// Upper bounds of a histogram's buckets, in milliseconds; one more bucket holds what is beyond the last.
pub const BUCKET_BOUNDS_MS: [u64; 16] =
    [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

/// The type of `GET /v1/metrics` and `GET /v1/operator/metrics`: OpenMetrics 1.0 as text.
pub const OPENMETRICS_TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Some of a function's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// The entries that follow what was asked for, oldest first.
    pub entries: Vec<LogEntry>,
    /// Stands for the last entry of which the caller knows now: what the next question names.
    pub cursor: String,
    /// Whether entries between the cursor that was named and the first one here are gone: pushed out by later ones, or with an
    /// earlier process of the appliance's.
    pub gap: bool,
}

/// Where the time of one invocation went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The invocation.
    pub invocation: String,
    /// The function's version that ran, hex.
    pub version: String,
    /// When it ended, by the appliance's clock.
    pub at_ms: u64,
    /// `ok`, or the error's code.
    pub outcome: String,
    /// From its admission into the queue to its result.
    pub total_us: u64,
    /// What it used.
    pub usage: Usage,
    /// Its parts by their begin; `depth` says in which one before it a part lies.
    pub spans: Vec<Span>,
    /// Host calls beyond the most that are recorded.
    pub calls_left_out: u64,
}

/// A part of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// `queue` (for a slot and memory), `start` (of a process, or its fork), `load` (of the function), `run`, `settle` (writes that
    /// were not waited for), or a host call: `fetch`, `store.get`, ….
    pub name: String,
    /// 0 for the invocation's own parts, 1 for what happens within the one before.
    pub depth: u8,
    /// From the invocation's begin.
    pub start_us: u64,
    /// How long it took; of a call whose answer nobody waited for any more, until then.
    pub duration_us: u64,
    /// Of a host call: `ok`, its error's code, or `abandoned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Of a `fetch`: method and host. No path, which may hold what is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a function's invocations took, since the appliance's process began or the function's metrics had to make room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// The function.
    pub function: String,
    /// Since when, by the appliance's clock; none where nothing was counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Events that were turned away, since too many were there at once.
    pub turned_away: u64,
    /// By version, those invoked last at the end.
    pub versions: Vec<VersionMetrics>,
}

/// What one version's invocations took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMetrics {
    /// The version, hex.
    pub version: String,
    /// How many there were.
    pub invocations: u64,
    /// Of them, those without a result, by the error's code.
    pub errors: BTreeMap<String, u64>,
    /// From the admission into the queue to the result.
    pub latency: Histogram,
    /// The part of it before the function ran: in the queue, and for its process.
    pub waiting: Histogram,
    /// CPU time, all together.
    pub cpu_us: u64,
    /// CPU time of each.
    pub cpu: Histogram,
    /// Host calls, all together.
    pub host_calls: u64,
    /// Bytes sent by `fetch`, all together.
    pub bytes_out: u64,
    /// The most memory that one held.
    pub peak_memory_bytes: u64,
}

/// How often a time was how long.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many fell into each bucket of [`BUCKET_BOUNDS_MS`], the last one beyond all of them.
    pub counts: [u64; BUCKET_BOUNDS_MS.len() + 1],
    /// The sum of all.
    pub sum_us: u64,
}

impl Histogram {
    /// Counts one more.
    pub fn record(&mut self, time_us: u64) {
        let bucket = BUCKET_BOUNDS_MS.partition_point(|bound| bound.saturating_mul(1_000) < time_us);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.sum_us = self.sum_us.saturating_add(time_us);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// A time in milliseconds that so many of a hundred stayed within, as far as the buckets tell; none where there are none, or it
    /// is beyond the last bound.
    pub fn percentile_ms(&self, percent: u8) -> Option<u64> {
        let count = self.count();
        let wanted = count.saturating_mul(u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0_u64;
        let reached = self.counts.iter().position(|bucket| {
            seen = seen.saturating_add(*bucket);
            seen >= wanted
        })?;
        BUCKET_BOUNDS_MS.get(reached).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_the_last_of_its_bucket() {
        let mut histogram = Histogram::default();
        for time_us in [0, 1_000, 1_001, 60_000_000, 60_000_001, u64::MAX] {
            histogram.record(time_us);
        }
        let mut expected = [0; 17];
        (expected[0], expected[1], expected[15], expected[16]) = (2, 1, 1, 2);
        assert_eq!(histogram.counts, expected);
        assert_eq!((histogram.count(), histogram.sum_us), (6, u64::MAX));
    }

    #[test]
    fn percentiles_are_upper_bounds() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile_ms(50), None);
        for _ in 0..99 {
            histogram.record(1_500);
        }
        histogram.record(15_000);
        assert_eq!(histogram.percentile_ms(50), Some(2));
        assert_eq!(histogram.percentile_ms(99), Some(2));
        assert_eq!(histogram.percentile_ms(100), Some(20));
        let mut beyond = Histogram::default();
        beyond.record(90_000_000);
        assert_eq!(beyond.percentile_ms(50), None);
    }
}
