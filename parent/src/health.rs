//! What is wrong with a parent that runs, in words. Judges what it is given; knows nothing of where that comes from.

use std::time::{Duration, Instant};

use crate::blobs::postgres::LeaseState;
use crate::counters::Counters;
use crate::finding::{Finding, Severity};
use crate::launch::{Phase, Snapshot};
use crate::limits::{LOW_DISK_FREE_MIB, MIN_DISK_FREE_MIB};

/// An enclave that is up for so long and has not taken its configuration will not.
const CONFIGURATION_DUE: Duration = Duration::from_secs(30);

/// All that a judgement rests on.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) counters: &'a Counters,
    /// The enclave, where this process starts it.
    pub(crate) enclave: Option<Snapshot>,
    /// Whether the parent answers the heartbeat.
    pub(crate) heartbeat: bool,
    /// The store's lease, where several parents may share it.
    pub(crate) lease: Option<LeaseState>,
    /// Why the enclave's port could not be reached just now.
    pub(crate) unreached: Option<String>,
    /// Room on the store's disk, where that is known.
    pub(crate) disk_free_mib: Option<u64>,
    /// Why the data folder cannot be written to.
    pub(crate) unwritable: Option<String>,
}

/// What is wrong, and what someone should know.
pub(crate) fn judge(observed: &Observed<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(enclave) = &observed.enclave {
        findings.extend(of_the_enclave(enclave, observed));
    }
    findings.extend(of_the_channel(observed));
    findings.extend(of_the_lease(observed));
    findings.extend(of_the_store(observed));
    findings
}

fn of_the_enclave(enclave: &Snapshot, observed: &Observed<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let last = enclave.last_end.as_deref().unwrap_or("nothing is known of an earlier one");
    let seconds = enclave.since.elapsed().as_secs();
    match enclave.phase {
        // The lease says the rest.
        Phase::Running | Phase::Standby => {}
        Phase::Starting => findings.push(error(
            "enclave_starting",
            format!(
                "the enclave has been starting for {seconds} s and its heartbeat has not come; before: {last}"
            ),
            "wait; if it stays so, see the log, and whether the image boots elsewhere",
        )),
        Phase::Waiting { until } => findings.push(error(
            "enclave_not_running",
            format!(
                "no enclave runs; the next start is in {} s, start {} so far: {last}",
                until.saturating_duration_since(Instant::now()).as_secs(),
                enclave.starts
            ),
            "do what the words say; r3e-parent check looks at memory, processors, CID and image. An enclave whose \
             unlock provider is ephemeral never starts over an older one's records: give it another --data",
        )),
        Phase::Stopped => findings.push(error(
            "enclave_stopped",
            format!("no enclave runs, and none is started again: {last}"),
            "start r3e-parent again",
        )),
    }
    if enclave.phase == Phase::Running
        && enclave.since.elapsed() > CONFIGURATION_DUE
        && observed.counters.configurations_served.get() == 0
    {
        findings.push(error(
            "configuration_not_taken",
            "the enclave runs, and has never asked for its configuration",
            "the image is not one of this release, or its vsock does not reach this parent",
        ));
    }
    if enclave.phase == Phase::Running && enclave.starts > 1 {
        findings.push(warning(
            "enclave_restarted",
            format!(
                "this is start {} of the enclave, {seconds} s ago; the one before: {last}",
                enclave.starts
            ),
            "if it goes on, more --memory often helps",
        ));
    }
    if let Some(why) = &enclave.cannot_see {
        findings.push(warning(
            "enclave_not_seen",
            format!("whether the enclave runs cannot be seen: {why}"),
            "run nitro-cli describe-enclaves as the parent's user",
        ));
    }
    if enclave.emulated {
        findings.push(warning(
            "emulated",
            "THE ENCLAVE IS EMULATED BY QEMU AND PROTECTS NOTHING from whoever has this machine",
            "use it for tests alone, with no secret in it",
        ));
    }
    if enclave.debug_mode {
        findings.push(warning(
            "debug_mode",
            "THE ENCLAVE RUNS IN DEBUG MODE AND PROTECTS NOTHING; no client accepts it",
            "start it without --debug-mode",
        ));
    }
    findings
}

fn of_the_channel(observed: &Observed<'_>) -> Vec<Finding> {
    // Where there is none, that is said above.
    let expected = observed.enclave.as_ref().is_none_or(|enclave| enclave.phase == Phase::Running);
    let mut findings = Vec::new();
    if let (true, Some(why)) = (expected, &observed.unreached) {
        let beats = observed.counters.heartbeat.beats.get();
        if observed.heartbeat && beats == 0 && observed.enclave.is_none() {
            findings.push(error(
                "heartbeat_never_came",
                "no enclave has sent its heartbeat since the parent started",
                "start the enclave; if it runs, its CID or socket is not the one that --enclave names",
            ));
        }
        findings.push(error(
            "enclave_unreachable",
            format!("the enclave does not take clients' connections: {why}"),
            "wait, if it has just started; else its CID is another than the parent's, or the program in it hangs: restart it",
        ));
    }
    findings
}

fn of_the_lease(observed: &Observed<'_>) -> Option<Finding> {
    let LeaseState::Standby { holder, trouble } = observed.lease.as_ref()? else { return None };
    Some(match (trouble, holder) {
        (Some(trouble), _) => error(
            "store_unreachable",
            format!("the database that keeps the records cannot be used: {trouble}"),
            "see that its server runs and is reached from here; this parent tries again by itself",
        ),
        (None, Some(holder)) => error(
            "standby",
            format!("{holder} holds the store's lease and serves: this parent waits"),
            "nothing, if that one serves; r3e-parent takeover makes this one the holder at once",
        ),
        (None, None) => error(
            "lease_not_held",
            "this parent does not hold the store's lease, and nobody else is known to",
            "wait some seconds; if it stays so, see the log",
        ),
    })
}

fn of_the_store(observed: &Observed<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if observed.counters.blobs.stopped.is_raised() {
        findings.push(error(
            "blob_store_stopped",
            "a write to the blob store failed, and it takes nothing more: the enclave cannot keep state",
            "see the log for the disk's reason, mend that, and restart r3e-parent",
        ));
    }
    if let Some(reason) = &observed.unwritable {
        findings.push(error(
            "data_folder",
            format!("the data folder cannot be written to: {reason}"),
            "see how its disk is mounted, and whose it is",
        ));
    }
    match observed.disk_free_mib {
        Some(free) if free < MIN_DISK_FREE_MIB => findings.push(error(
            "disk_full",
            format!("the blob store's disk has {free} MiB left"),
            "free some, or move the data folder to a larger disk, before a write fails",
        )),
        Some(free) if free < LOW_DISK_FREE_MIB => findings.push(warning(
            "disk_low",
            format!("the blob store's disk has {free} MiB left"),
            "free some, or move the data folder to a larger disk",
        )),
        _ => {}
    }
    findings
}

fn error(code: &str, words: impl Into<String>, next: &str) -> Finding {
    Finding::new(code, Severity::Error, words, next)
}

fn warning(code: &str, words: impl Into<String>, next: &str) -> Finding {
    Finding::new(code, Severity::Warning, words, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Snapshot {
        Snapshot {
            emulated: false,
            debug_mode: false,
            phase: Phase::Running,
            since: Instant::now(),
            starts: 1,
            id: Some("i-0-enc0".into()),
            last_end: None,
            cannot_see: None,
        }
    }

    fn well(counters: &Counters) -> Observed<'_> {
        Observed {
            counters,
            enclave: Some(running()),
            heartbeat: false,
            lease: None,
            unreached: None,
            disk_free_mib: Some(100_000),
            unwritable: None,
        }
    }

    fn codes(observed: &Observed<'_>) -> Vec<String> {
        judge(observed).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_well_appliance_has_no_findings() {
        let counters = Counters::default();
        assert_eq!(judge(&well(&counters)), []);
        assert_eq!(judge(&Observed { enclave: None, ..well(&counters) }), []);
    }

    #[test]
    fn an_enclave_that_is_not_there_is_said_once() {
        let counters = Counters::default();
        let unreached = Some("refused".to_owned());
        for (phase, code) in [
            (Phase::Starting, "enclave_starting"),
            (Phase::Waiting { until: Instant::now() + Duration::from_secs(9) }, "enclave_not_running"),
            (Phase::Stopped, "enclave_stopped"),
        ] {
            let enclave = Some(Snapshot { phase, last_end: Some("[ E27 ]".into()), ..running() });
            let observed = Observed { enclave, unreached: unreached.clone(), ..well(&counters) };
            assert_eq!(codes(&observed), [code]);
            assert!(judge(&observed)[0].words.contains("[ E27 ]"));
        }
        assert_eq!(codes(&Observed { unreached, ..well(&counters) }), ["enclave_unreachable"]);
    }

    #[test]
    fn without_a_supervisor_silence_is_named() {
        let counters = Counters::default();
        let unreached = Some("refused".to_owned());
        let observed = Observed { enclave: None, heartbeat: true, unreached, ..well(&counters) };
        assert_eq!(codes(&observed), ["heartbeat_never_came", "enclave_unreachable"]);
        counters.heartbeat.beats.add(1);
        assert_eq!(codes(&observed), ["enclave_unreachable"]);
    }

    #[test]
    fn the_disk_and_the_store_are_named() {
        let counters = Counters::default();
        assert_eq!(codes(&Observed { disk_free_mib: Some(10), ..well(&counters) }), ["disk_full"]);
        assert_eq!(codes(&Observed { disk_free_mib: Some(500), ..well(&counters) }), ["disk_low"]);
        let unwritable = Some("read-only file system".to_owned());
        assert_eq!(codes(&Observed { unwritable, ..well(&counters) }), ["data_folder"]);
        counters.blobs.stopped.raise();
        assert_eq!(codes(&well(&counters)), ["blob_store_stopped"]);
    }

    #[test]
    fn a_parent_without_the_lease_does_not_serve_and_says_who_does() {
        let counters = Counters::default();
        let standby = |holder: Option<&str>, trouble: Option<&str>| {
            let [holder, trouble] = [holder, trouble].map(|words| words.map(str::to_owned));
            let lease = Some(LeaseState::Standby { holder, trouble });
            let enclave = Some(Snapshot { phase: Phase::Standby, ..running() });
            judge(&Observed { lease, enclave, unreached: Some("refused".into()), ..well(&counters) })
        };
        let found = standby(Some("other (process 1)"), None);
        assert_eq!((found.len(), found[0].code.as_str()), (1, "standby"));
        assert!(found[0].words.contains("other (process 1)"));
        let found = standby(Some("other (process 1)"), Some("connection refused"));
        assert_eq!((found.len(), found[0].code.as_str()), (1, "store_unreachable"));
        assert_eq!(standby(None, None)[0].code, "lease_not_held");
        let until = tokio::time::Instant::now() + Duration::from_secs(9);
        let lease = Some(LeaseState::Held { epoch: 1, until });
        assert_eq!(judge(&Observed { lease, ..well(&counters) }), []);
    }

    #[test]
    fn what_protects_nothing_says_so_and_serves() {
        let counters = Counters::default();
        let enclave = Some(Snapshot { emulated: true, debug_mode: true, ..running() });
        let findings = judge(&Observed { enclave, ..well(&counters) });
        assert_eq!(findings.len(), 2);
        assert!(findings.iter().all(|finding| finding.words.contains("PROTECTS NOTHING")));
        assert!(!crate::finding::any_error(&findings));
    }

    #[test]
    fn restarts_and_blindness_are_warnings() {
        let counters = Counters::default();
        let enclave = Some(Snapshot { starts: 3, cannot_see: Some("[ E39 ]".into()), ..running() });
        let observed = Observed { enclave, ..well(&counters) };
        assert_eq!(codes(&observed), ["enclave_restarted", "enclave_not_seen"]);
        assert!(!crate::finding::any_error(&judge(&observed)));
    }
}
