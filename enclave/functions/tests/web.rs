//! The web's standards, case by case: each script under `web/` runs as a function does, in a real runner, and what fails
//! must be what `web/expected-failures.txt` says.
//!
//! The cases are written for this appliance, by what the standards say.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use r3e_functions::runner_pool::{
    HostCall, HostCalls, HostError, HostErrorCode, HostFuture, HostValue, Limits,
};
use serde::Deserialize;
use support::{AMPLE, key, pool};

/// In the order of the report.
const AREAS: &[&str] = &[
    "url",
    "urlsearchparams",
    "encoding",
    "base64",
    "headers",
    "request",
    "response",
    "fetch",
    "blob",
    "structured-clone",
    "events",
    "abort",
    "timers",
    "domexception",
    "console",
    "webcrypto",
];

const LIMITS: Limits = Limits { output_bytes: 1_000_000, host_calls: 1_000, ..AMPLE };

/// What a script tells.
#[derive(Deserialize)]
struct Report {
    assertions: u32,
    cases: Vec<String>,
    failures: Vec<(String, String)>,
}

/// A host whose server answers with what it was sent. The path says how.
struct Server;

impl HostCalls for Server {
    fn call(&self, call: HostCall) -> HostFuture<'_> {
        Box::pin(async move {
            let HostCall::Fetch { url, method, mut headers, body_base64 } = call else {
                return Err(HostError { code: HostErrorCode::Denied, message: "not granted".to_owned() });
            };
            if url.starts_with("https://refused.example/") {
                return Err(HostError { code: HostErrorCode::Denied, message: "not granted".to_owned() });
            }
            let (path, query) = url.split_once('?').unwrap_or((&url, ""));
            let mut status = 201;
            let mut location = None;
            if let Some((_, number)) = path.split_once("/status/") {
                status = number.parse().unwrap();
            } else if let Some((_, number)) = path.split_once("/redirect/") {
                status = number.parse().unwrap();
                let target = query.strip_prefix("to=").unwrap();
                location = Some(target.split('#').next().unwrap().to_owned());
            } else if let Some((_, left)) = path.split_once("/hops/") {
                let left: u32 = left.parse().unwrap();
                status = if left > 0 { 302 } else { 201 };
                location = left.checked_sub(1).map(|left| format!("/hops/{left}"));
            } else if path.ends_with("/slow") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            headers.push(("x-method".to_owned(), method));
            headers.extend(location.map(|location| ("location".to_owned(), location)));
            Ok(HostValue::Fetch { status, headers, body_base64: body_base64.unwrap_or_default() })
        })
    }
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/web")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap()
}

/// `area / case` for each line of the list; a line that begins with `#` gives the reason for those after it.
fn expected_failures() -> BTreeSet<String> {
    let text = read("expected-failures.txt");
    assert!(text.starts_with('#'), "each expected failure stands below its reason");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn every_script_is_an_area() {
    let scripts: BTreeSet<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["harness.js", "vectors.js", "expected-failures.txt"].contains(&name.as_str()))
        .collect();
    assert_eq!(scripts, AREAS.iter().map(|area| format!("{area}.js")).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_as_its_standards_say() {
    let pool = pool();
    let harness = read("harness.js");
    let (mut cases, mut passed, mut assertions) = (0, 0, 0);
    let mut failed = BTreeMap::new();
    for area in AREAS {
        let source = format!("{harness}{}", read(&format!("{area}.js")));
        let invocation = pool.invoke(&key("web", area), &source, "{}", &LIMITS, &Server).await;
        let output = invocation.outcome.unwrap_or_else(|error| panic!("{area}: {error:?}"));
        let report: Report = serde_json::from_str(&output).unwrap();
        let names: BTreeSet<_> = report.cases.iter().collect();
        assert_eq!(names.len(), report.cases.len(), "{area} has two cases of one name");
        let right = report.cases.len() - report.failures.len();
        println!(
            "{area:<18}{right:>4} of {:<4} cases  {:>5} assertions",
            report.cases.len(),
            report.assertions
        );
        cases += report.cases.len();
        passed += right;
        assertions += report.assertions;
        failed.extend(report.failures.into_iter().map(|(case, why)| (format!("{area} / {case}"), why)));
    }
    println!("in all: {passed} of {cases} cases, {assertions} assertions");
    let expected = expected_failures();
    let unexpected: Vec<_> = failed.iter().filter(|(case, _)| !expected.contains(*case)).collect();
    assert!(unexpected.is_empty(), "these fail: {unexpected:#?}");
    let stale: Vec<_> = expected.iter().filter(|case| !failed.contains_key(*case)).collect();
    assert!(stale.is_empty(), "these are expected to fail, and pass: {stale:#?}");
}
