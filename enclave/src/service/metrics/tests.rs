//! Of the texts: their form, whose they are, and what no label of theirs may hold.

use std::collections::{BTreeMap, BTreeSet};

use r3e_feeds::{DELAY_BOUNDS_US, Measures, Totals};
use r3e_functions::{DURATION_BOUNDS_US, Ended, FunctionCounts, OUTCOMES, REASONS};
use r3e_jobs::CountsOfOne;
use r3e_proto::api::feeds::RoundCounts;
use r3e_proto::api::jobs::JobCounts;
use r3e_proto::api::status::AttestationCalls;
use r3e_store::Summary;

use super::{ApplianceMetrics, TenantMetrics};

fn counts() -> FunctionCounts {
    let mut counts = FunctionCounts { duration_us: 2_500_000, cpu_us: 1_500, ..FunctionCounts::default() };
    (counts.ended.outcomes[0], counts.ended.outcomes[3], counts.ended.reasons[1]) = (2, 1, 4);
    (counts.durations[0], counts.durations[9], counts.durations[DURATION_BOUNDS_US.len()]) = (1, 1, 1);
    counts
}

fn feed(name: &str, latest: Option<(u64, u64)>) -> Measures {
    let rounds = RoundCounts { published: 3, nothing: 1, ..RoundCounts::default() };
    Measures { name: name.into(), is_paused: latest.is_none(), latest, rounds }
}

fn of_tenant(functions: &[&str], feeds: Vec<Measures>) -> String {
    let functions = functions.iter().map(|name| ((*name).to_owned(), counts())).collect::<BTreeMap<_, _>>();
    let jobs = CountsOfOne { queued: 7, dead_letters: 2, succeeded: 5, ..CountsOfOne::default() };
    TenantMetrics { started_ms: 1_700_000_000_500, functions, jobs, feeds }.into_text().unwrap()
}

fn of_appliance() -> String {
    let store = Summary {
        sequence: 42,
        head: [1; 32],
        root: [2; 32],
        records: 17,
        epoch: 1,
        oldest_epoch: 1,
        to_reseal: 0,
        sealings: 99,
        checkpoint_pages: 3,
        tail: 4,
        at_work: false,
        restored: None,
    };
    let rounds = RoundCounts { published: 5, failed: 1, ..RoundCounts::default() };
    let mut rounds = Totals { rounds, delay_us: 30_000, ..Totals::default() };
    (rounds.delays[3], rounds.delays[DELAY_BOUNDS_US.len()]) = (4, 1);
    let metrics = ApplianceMetrics {
        release: "1.2.3",
        started_ms: 1_700_000_000_000,
        uptime_ms: 1_500,
        resident_bytes: Some(4_096),
        answers: [0, 10, 0, 2, 1],
        connections: [3, 2, 1, 0],
        open_sessions: 2,
        invocations: Ended { outcomes: counts().ended.outcomes, reasons: counts().ended.reasons },
        jobs: JobCounts { queued: 7, ..JobCounts::default() },
        feeds: 2,
        rounds,
        tenants: Some(3),
        store,
        is_tampered: false,
        attestation: AttestationCalls {
            calls: 5,
            errors: 1,
            total_us: 20_000,
            ..AttestationCalls::default()
        },
    };
    metrics.into_text().unwrap()
}

/// Every sample's name, labels and value; each family described before its samples, once, and the end where it belongs.
fn samples(text: &str) -> Vec<(String, String, f64)> {
    let (body, end) = text.split_at(text.len() - "# EOF\n".len());
    assert_eq!(end, "# EOF\n");
    let (mut described, mut samples) = (BTreeSet::new(), Vec::new());
    let mut family = "";
    for line in body.lines() {
        if let Some(words) = line.strip_prefix("# TYPE ") {
            family = words.split(' ').next().unwrap();
            assert!(described.insert(family), "{family} is described twice");
        } else if !line.starts_with("# ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
            assert!(name.starts_with(family), "{line} stands under {family}");
            samples.push((name.to_owned(), labels.trim_end_matches('}').to_owned(), value.parse().unwrap()));
        }
    }
    samples
}

#[track_caller]
fn value(text: &str, name: &str, labels: &str) -> f64 {
    let all = samples(text);
    let found = all.iter().find(|(of, with, _)| of == name && with == labels);
    found.unwrap_or_else(|| panic!("no {name}{{{labels}}} in\n{text}")).2
}

fn is(text: &str, name: &str, labels: &str, expected: f64) {
    let found = value(text, name, labels);
    assert!((found - expected).abs() < 1e-9, "{name}{{{labels}}} is {found}, not {expected}");
}

#[test]
fn a_tenants_text_says_what_was_counted() {
    let text = of_tenant(&["f"], vec![feed("BTC-USD", Some((9, 1_700_000_100))), feed("new", None)]);
    is(&text, "process_start_time_seconds", "", 1_700_000_000.5);
    is(&text, "r3e_function_invocations_total", r#"function="f",outcome="ok""#, 2.0);
    is(&text, "r3e_function_invocations_total", r#"function="f",outcome="timeout""#, 1.0);
    is(&text, "r3e_function_rejected_total", r#"function="f",reason="quota""#, 4.0);
    is(&text, "r3e_function_cpu_seconds_total", r#"function="f""#, 0.0015);
    // Cumulative, and the last bucket is all.
    is(&text, "r3e_function_duration_seconds_bucket", r#"le="0.001",function="f""#, 1.0);
    is(&text, "r3e_function_duration_seconds_bucket", r#"le="30.0",function="f""#, 2.0);
    is(&text, "r3e_function_duration_seconds_bucket", r#"le="+Inf",function="f""#, 3.0);
    is(&text, "r3e_function_duration_seconds_count", r#"function="f""#, 3.0);
    is(&text, "r3e_function_duration_seconds_sum", r#"function="f""#, 2.5);
    is(&text, "r3e_jobs", r#"state="queued""#, 7.0);
    is(&text, "r3e_jobs_dead_letters", "", 2.0);
    is(&text, "r3e_jobs_ended_total", r#"outcome="succeeded""#, 5.0);
    is(&text, "r3e_feed_sequence", r#"feed="BTC-USD""#, 9.0);
    is(&text, "r3e_feed_last_report_timestamp_seconds", r#"feed="BTC-USD""#, 1_700_000_100.0);
    is(&text, "r3e_feed_rounds_total", r#"feed="new",result="published""#, 3.0);
    is(&text, "r3e_feed_paused", r#"feed="new""#, 1.0);
    assert!(!text.contains(r#"r3e_feed_sequence{feed="new"}"#), "what published nothing has no sequence");
    let of_function = samples(&text).iter().filter(|(_, labels, _)| labels.contains("function=")).count();
    assert_eq!(of_function, OUTCOMES.len() + REASONS.len() + DURATION_BOUNDS_US.len() + 1 + 2 + 1);
}

#[test]
fn a_tenant_with_nothing_has_a_text_too() {
    let text = of_tenant(&[], Vec::new());
    assert!(
        samples(&text).iter().all(|(_, labels, _)| !labels.contains("function") && !labels.contains("feed"))
    );
}

#[test]
fn a_name_is_one_labels_value_whatever_it_is() {
    // None of them is a function's name: what writes the text does not rely on it.
    for name in ["a\"} 1\nr3e_jobs_dead_letters 666", "\\", "\"", "x\ny", "# EOF", "{}"] {
        let text = of_tenant(&[name], vec![feed(name, Some((1, 1)))]);
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        assert!(text.contains(&format!("r3e_function_cpu_seconds_total{{function=\"{escaped}\"}} 0.0015\n")));
        assert!(text.contains(&format!("r3e_feed_sequence{{feed=\"{escaped}\"}} 1\n")));
        let injected = |line: &str| line.starts_with("r3e_jobs_dead_letters ");
        assert_eq!(
            text.lines().filter(|line| injected(line)).collect::<Vec<_>>(),
            ["r3e_jobs_dead_letters 2"]
        );
    }
}

#[test]
fn the_appliances_text_has_totals_and_no_label_of_anybodys() {
    let text = of_appliance();
    is(&text, "r3e_build_info", r#"version="1.2.3""#, 1.0);
    is(&text, "r3e_uptime_seconds", "", 1.5);
    is(&text, "process_resident_memory_bytes", "", 4_096.0);
    is(&text, "r3e_http_responses_total", r#"status="2xx""#, 10.0);
    is(&text, "r3e_connections_total", r#"became="failed""#, 1.0);
    is(&text, "r3e_invocations_total", r#"outcome="timeout""#, 1.0);
    is(&text, "r3e_attestation_calls_total", r#"result="answered""#, 4.0);
    is(&text, "r3e_attestation_busy_seconds_total", "", 0.02);
    is(&text, "r3e_jobs", r#"state="queued""#, 7.0);
    is(&text, "r3e_feeds_rounds_total", r#"result="published""#, 5.0);
    is(&text, "r3e_feeds_rounds_total", r#"result="failed""#, 1.0);
    is(&text, "r3e_feeds_report_delay_seconds_bucket", r#"le="0.005""#, 4.0);
    is(&text, "r3e_feeds_report_delay_seconds_bucket", r#"le="+Inf""#, 5.0);
    is(&text, "r3e_feeds_report_delay_seconds_sum", "", 0.03);
    is(&text, "r3e_tenants", "", 3.0);
    is(&text, "r3e_store_sequence", "", 42.0);
    let words = ["le", "version", "status", "became", "outcome", "reason", "state", "result"];
    for (name, labels, _) in samples(&text) {
        let label = labels.split('=').next().unwrap();
        assert!(labels.is_empty() || words.contains(&label), "{name}{{{labels}}}");
    }
}

#[test]
fn every_metric_is_in_the_operators_manual() {
    let manual = include_str!("../../../../docs/operate.md");
    for text in [of_tenant(&["f"], vec![feed("f", Some((1, 1)))]), of_appliance()] {
        for (name, labels, _) in samples(&text) {
            let of_histogram = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
            let name = of_histogram.unwrap_or(&name);
            assert!(manual.contains(&format!("`{name}`")), "{name} is not described");
            let values = labels.split(',').filter_map(|label| label.split_once('='));
            for (label, value) in
                values.filter(|(label, _)| !["le", "function", "feed", "version"].contains(label))
            {
                assert!(manual.contains(&format!("`{label}`")), "{name}: the label {label} is not described");
                let value = value.trim_matches('"');
                let is_class = value.ends_with("xx");
                assert!(
                    is_class || manual.contains(&format!("`{value}`")),
                    "{name}: {value} is not described"
                );
            }
        }
    }
}
