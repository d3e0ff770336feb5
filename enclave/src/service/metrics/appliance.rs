//! The appliance as a whole: totals, for an operator who is not trusted with what is a tenant's. No field holds a name of a tenant's,
//! its functions', jobs' or feeds', and every label is one of a few words of this file and those that it names.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;
use r3e_feeds::{DELAY_BOUNDS_US, Totals};
use r3e_functions::{Ended, OUTCOMES, REASONS};
use r3e_proto::api::jobs::JobCounts;
use r3e_proto::api::status::AttestationCalls;
use r3e_store::Summary;

use super::families::{Distribution, Families, Family, by, in_seconds, of, seconds};
use super::{ROUNDS, counted, text};
use crate::channel::{BECAME, CLASSES};
use crate::service::ServiceError;

/// What is no tenant's in particular.
#[derive(Debug)]
pub(crate) struct ApplianceMetrics {
    /// The release.
    pub(crate) release: &'static str,
    /// Since when it was counted, in Unix milliseconds.
    pub(crate) started_ms: u64,
    /// For how long.
    pub(crate) uptime_ms: u64,
    /// Memory of this process.
    pub(crate) resident_bytes: Option<u64>,
    /// Answers by class.
    pub(crate) answers: [u64; CLASSES.len()],
    /// Connections by what became of them.
    pub(crate) connections: [u64; BECAME.len()],
    /// Sessions that are open.
    pub(crate) open_sessions: u64,
    /// How functions' events ended.
    pub(crate) invocations: Ended,
    /// Jobs.
    pub(crate) jobs: JobCounts,
    /// Feeds.
    pub(crate) feeds: usize,
    /// What their rounds came to.
    pub(crate) rounds: Totals,
    /// Tenants; none while the store is not read.
    pub(crate) tenants: Option<usize>,
    /// The sealed state.
    pub(crate) store: Summary,
    /// Whether it was closed for what the parent answered.
    pub(crate) is_tampered: bool,
    /// Calls to the attestation device.
    pub(crate) attestation: AttestationCalls,
}

impl ApplianceMetrics {
    /// As OpenMetrics text.
    ///
    /// # Errors
    /// [`ServiceError::Internal`].
    pub(crate) fn into_text(self) -> Result<String, ServiceError> {
        text(self)
    }

    fn process(&self, to: &mut Families<'_>) -> fmt::Result {
        to.info(&of("r3e_build", "The release, as it says itself"), &[("version", self.release)])?;
        to.began(self.started_ms)?;
        let uptime = seconds(self.uptime_ms.saturating_mul(1_000));
        to.value(&in_seconds("r3e_uptime", "How long the appliance has served"), uptime)?;
        let Some(bytes) = self.resident_bytes else { return Ok(()) };
        let help = "Memory that the appliance's own process holds, without its runners";
        to.value(&Family { name: "process_resident_memory", unit: Some(Unit::Bytes), help }, bytes)
    }

    fn channel(&self, to: &mut Families<'_>) -> fmt::Result {
        to.counters(
            &of("r3e_http_responses", "Answers by the class of their status"),
            by("status", CLASSES, self.answers),
        )?;
        to.counters(
            &of("r3e_connections", "Connections by what became of them"),
            by("became", BECAME, self.connections),
        )?;
        to.value(&of("r3e_open_sessions", "Attested sessions that are open"), self.open_sessions)?;
        let AttestationCalls { calls, errors, refused, abandoned, waiting, total_us, .. } = self.attestation;
        let answered = calls.saturating_sub(errors);
        to.counters(
            &of("r3e_attestation_calls", "Requests to the attestation device by what became of them"),
            by(
                "result",
                ["answered", "error", "refused", "abandoned"],
                [answered, errors, refused, abandoned],
            ),
        )?;
        to.value(&of("r3e_attestation_waiting", "Requests that wait for the attestation device"), waiting)?;
        let busy = "Time that the attestation device took for its answers";
        to.total(&in_seconds("r3e_attestation_busy", busy), seconds(total_us))
    }

    fn work(&self, to: &mut Families<'_>) -> fmt::Result {
        to.counters(
            &of("r3e_invocations", "Invocations of all functions by what their receipts say"),
            by("outcome", OUTCOMES, self.invocations.outcomes),
        )?;
        to.counters(
            &of("r3e_invocations_rejected", "Events that were not handed to a function, and why"),
            by("reason", REASONS, self.invocations.reasons),
        )?;
        let jobs = &self.jobs;
        let states = ["queued", "running", "kept"];
        to.gauges(
            &of("r3e_jobs", "Jobs by state; those that have ended are kept for a while"),
            by("state", states, [jobs.queued, jobs.running, jobs.kept]),
        )?;
        to.counters(
            &of("r3e_jobs_ended", "Jobs that have ended, and how"),
            by("outcome", ["succeeded", "dead", "cancelled"], [jobs.succeeded, jobs.dead, jobs.cancelled]),
        )?;
        to.counters(
            &of(
                "r3e_jobs_attempts",
                "Attempts that are made again, and those that a crash or a handoff interrupted",
            ),
            by("result", ["retried", "interrupted"], [jobs.retried, jobs.interrupted]),
        )?;
        to.counters(
            &of("r3e_jobs_webhooks", "Webhooks of jobs by what became of them"),
            by("result", ["delivered", "failed"], [jobs.webhooks_delivered, jobs.webhooks_failed]),
        )?;
        self.feeds(to)?;
        let Some(tenants) = self.tenants else { return Ok(()) };
        to.value(&of("r3e_tenants", "Tenants that were admitted"), tenants)
    }

    fn feeds(&self, to: &mut Families<'_>) -> fmt::Result {
        to.value(&of("r3e_feeds", "Feeds of all tenants"), self.feeds)?;
        let Totals { rounds, delays, delay_us } = self.rounds;
        to.counters(
            &of("r3e_feeds_rounds", "Rounds of all feeds by what they came to"),
            by("result", ROUNDS, counted(rounds)),
        )?;
        let delay = in_seconds(
            "r3e_feeds_report_delay",
            "From the last answer of a round to its report, durable and signed",
        );
        to.histogram(&delay, Distribution::of(&DELAY_BOUNDS_US, delays, delay_us))
    }

    fn state(&self, to: &mut Families<'_>) -> fmt::Result {
        let store = &self.store;
        let tampered =
            "1 where the parent's store gave back what was not put there, and nothing is read any more";
        to.value(&of("r3e_store_tampered", tampered), u64::from(self.is_tampered))?;
        to.value(&of("r3e_store_records", "Records of the sealed state"), store.records)?;
        to.value(&of("r3e_store_sequence", "Commits since the sealed state was new"), store.sequence)?;
        to.value(&of("r3e_store_epoch", "The epoch of keys that seals"), u64::from(store.epoch))?;
        let moving = "Records that are still to move to that epoch";
        to.value(&of("r3e_store_records_to_reseal", moving), store.to_reseal)?;
        to.value(&of("r3e_store_sealings", "Sealings under that epoch"), store.sealings)?;
        to.value(&of("r3e_store_checkpoint_pages", "Pages that a boot reads"), store.checkpoint_pages)?;
        to.value(&of("r3e_store_tail", "Notes that a boot reads beside them"), store.tail)
    }
}

impl Collector for ApplianceMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = Families(encoder);
        self.process(&mut to)?;
        self.channel(&mut to)?;
        self.work(&mut to)?;
        self.state(&mut to)
    }
}
