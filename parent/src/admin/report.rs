//! The counters in their two forms, from one table.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::Admin;
use crate::blobs::postgres::{Lease, LeaseState};
use crate::counters::{self, Blobs, Clients, Egress, Heartbeat};
use crate::finding::any_error;
use crate::health::{Observed, judge};
use crate::launch::{Phase, Snapshot};

/// `{"version": …, "serving": …, "findings": […], "enclave": {…}, "upgrading": bool, "GROUP": {"NAME": number, …}, …}`, and a newline.
pub(super) fn json(admin: &Admin, observed: &Observed<'_>) -> String {
    let findings = judge(observed);
    let mut groups = Map::new();
    groups.insert("version".into(), env!("CARGO_PKG_VERSION").into());
    groups.insert("serving".into(), (!any_error(&findings)).into());
    groups.insert("findings".into(), json!(findings));
    groups.insert("enclave".into(), enclave(observed));
    groups.insert("upgrading".into(), admin.watched.upgrades.is_under_way().into());
    groups.insert("store".into(), store(observed));
    for (group, metrics) in table(admin) {
        let numbers = metrics.into_iter().map(|metric| (metric.name.into(), metric.value.into()));
        groups.insert(group.into(), Value::Object(numbers.collect()));
    }
    format!("{:#}\n", Value::Object(groups))
}

/// Whether it is reached, and, where this process starts it, how it is.
fn enclave(observed: &Observed<'_>) -> Value {
    let reached = observed.unreached.is_none();
    let Some(enclave) = &observed.enclave else {
        return json!({ "started_by": "another", "reached": reached });
    };
    let state = match enclave.phase {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Waiting { .. } => "waiting",
        Phase::Stopped => "stopped",
        Phase::Standby => "standby",
    };
    json!({
        "started_by": if enclave.emulated { "qemu" } else { "nitro" },
        "reached": reached,
        "state": state,
        "state_seconds": enclave.since.elapsed().as_secs(),
        "starts": enclave.starts,
        "id": enclave.id,
        "debug_mode": enclave.debug_mode,
        "last_end": enclave.last_end,
    })
}

/// Which kind it is, and who holds the lease of one that several parents share.
fn store(observed: &Observed<'_>) -> Value {
    match &observed.lease {
        None => json!({ "kind": "embedded" }),
        Some(LeaseState::Held { epoch, .. }) => {
            json!({ "kind": "postgres", "lease": "held", "epoch": epoch })
        }
        Some(LeaseState::Standby { holder, trouble }) => {
            json!({ "kind": "postgres", "lease": "standby", "holder": holder, "trouble": trouble })
        }
    }
}

/// `r3e_parent_GROUP_NAME` for each number, counters with `_total` behind it.
pub(super) fn prometheus(admin: &Admin) -> String {
    let mut text = String::new();
    for (group, metrics) in table(admin) {
        for Metric { name, kind, help, value } in metrics {
            let (kind, end) = match kind {
                Kind::Counter => ("counter", "_total"),
                Kind::Gauge => ("gauge", ""),
            };
            let metric = format!("r3e_parent_{group}_{name}{end}");
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} {kind}\n{metric} {value}");
        }
    }
    text
}

struct Metric {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    value: u64,
}

enum Kind {
    Counter,
    Gauge,
}

fn table(admin: &Admin) -> Vec<(&'static str, Vec<Metric>)> {
    let uptime = admin.started.elapsed().as_secs();
    let served = admin.counters.configurations_served.get();
    let supervised = admin.watched.targets.current().state().map(|state| state.snapshot());
    let supervisor = supervised.iter().map(|enclave| ("supervisor", supervisor(enclave)));
    let lease =
        admin.watched.lease.as_ref().map(|lease| ("lease", lease_numbers(lease, &admin.counters.lease)));
    let groups = vec![
        ("process", vec![gauge("uptime_seconds", uptime, "Since the parent started.")]),
        ("clients", clients(&admin.counters.clients)),
        ("egress", egress(&admin.counters.egress)),
        ("blobs", blobs(&admin.counters.blobs)),
        ("heartbeat", heartbeat(&admin.counters.heartbeat)),
        ("configuration", vec![counter("served", served, "Times the enclave took its configuration.")]),
    ];
    groups.into_iter().chain(lease).chain(supervisor).collect()
}

fn supervisor(enclave: &Snapshot) -> Vec<Metric> {
    let running = enclave.phase == Phase::Running;
    vec![
        gauge("enclave_running", running.into(), "1 while the enclave this parent started is up."),
        counter("enclave_starts", enclave.starts, "Starts of the enclave, whatever came of them."),
    ]
}

fn clients(clients: &Clients) -> Vec<Metric> {
    vec![
        gauge("open", clients.open.get(), "Connections now."),
        counter("accepted", clients.accepted.get(), "Connections let in."),
        counter("refused_full", clients.refused_full.get(), "Refused: as many as there may be."),
        counter("refused_address", clients.refused_address.get(), "Refused: too many from one address."),
        counter("refused_rate", clients.refused_rate.get(), "Refused: too often from one address."),
        counter("silent", clients.silent.get(), "Closed: said nothing."),
        counter("unreached", clients.unreached.get(), "Closed: the enclave was not reached."),
        counter("idle", clients.idle.get(), "Closed: no byte for the idle timeout."),
        counter("failed", clients.failed.get(), "Ended by a failed socket."),
        counter("bytes_to_enclave", clients.bytes_forth.get(), "Bytes from clients."),
        counter("bytes_to_clients", clients.bytes_back.get(), "Bytes from the enclave."),
    ]
}

fn egress(egress: &Egress) -> Vec<Metric> {
    vec![
        gauge("open", egress.open.get(), "Connections now."),
        counter("connected", egress.connected.get(), "Connections made."),
        counter("refused", egress.refused.get(), "Connections refused or not made."),
        counter("malformed", egress.malformed.get(), "Connections closed for what they sent."),
        counter("bytes_out", egress.bytes_out.get(), "Bytes from the enclave."),
        counter("bytes_in", egress.bytes_in.get(), "Bytes to the enclave."),
    ]
}

fn blobs(blobs: &Blobs) -> Vec<Metric> {
    vec![
        counter("reads", blobs.reads.get(), "Heads, records and pages read."),
        counter("commits", blobs.commits.get(), "Commits made durable."),
        counter("conflicts", blobs.conflicts.get(), "Commits that follow another head than stands."),
        counter("failures", blobs.failures.get(), "Operations that failed."),
        counter("fenced", blobs.fenced.get(), "Requests refused for want of the lease."),
        counter("syncs", blobs.syncs.get(), "Syncs; commits that wait share one."),
        counter("malformed", blobs.malformed.get(), "Connections closed for what they sent."),
        counter("bytes_committed", blobs.bytes_committed.get(), "Bytes of records written."),
        gauge("disk_bytes", blobs.disk_bytes.get(), "Bytes on disk at the last commit."),
        gauge("stopped", blobs.stopped.is_raised().into(), "1 after a failed write: restart the parent."),
    ]
}

fn lease_numbers(lease: &Lease, counts: &counters::Lease) -> Vec<Metric> {
    let held = matches!(lease.state(), LeaseState::Held { .. });
    vec![
        gauge("held", held.into(), "1 while this parent holds the store's lease; 0 on standby."),
        gauge("epoch", counts.epoch.get(), "The epoch of the lease that this parent took last; 0 for none."),
        counter("taken", counts.taken.get(), "Times this parent took the lease."),
        counter("lost", counts.lost.get(), "Times another parent took it from this one."),
        counter("failures", counts.failures.get(), "Looks at the lease that failed."),
    ]
}

fn heartbeat(heartbeat: &Heartbeat) -> Vec<Metric> {
    vec![
        counter("beats", heartbeat.beats.get(), "Heartbeats of the enclave, one a boot."),
        gauge("last_unix_seconds", heartbeat.last_unix_seconds.get(), "The last heartbeat; 0 for none."),
    ]
}

fn counter(name: &'static str, value: u64, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help, value }
}

fn gauge(name: &'static str, value: u64, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help, value }
}
