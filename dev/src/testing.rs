//! `r3e-dev test`: each case against a function as it stands in its folder, with nothing of the case before it.

use std::process::ExitCode;
use std::sync::Arc;

use r3e_client::project::Project;
use r3e_functions::Completed;
use r3e_proto::api::functions::Outcome as Ended;
use r3e_proto::api::identity::TenantId;
use serde::Serialize;
use serde_json::Value;

use crate::cases::{self, Case, Outcome};
use crate::cli::Test;
use crate::error::DevError;
use crate::given::GivenHosts;
use crate::workshop::{Hosts, Workshop};

/// What a case came to.
#[derive(Serialize)]
struct Report {
    file: String,
    name: String,
    passed: bool,
    /// What was not as expected, a sentence each.
    reasons: Vec<String>,
    logs: Vec<String>,
    cpu_us: u64,
    wall_us: u64,
}

#[derive(Serialize)]
struct Reports {
    function: String,
    passed: usize,
    failed: usize,
    cases: Vec<Report>,
}

pub(crate) async fn run(test: Test) -> Result<ExitCode, DevError> {
    let Test { common, only, json } = test;
    let project = Project::from_folder(&common.folder)?;
    let mut cases = cases::read(&common.folder)?;
    cases.retain(|case| only.as_ref().is_none_or(|text| case.name.contains(text.as_str())));
    let hosts = Arc::new(GivenHosts::default());
    let workshop = Workshop::open(common.programs.as_deref(), Hosts::Given(Arc::clone(&hosts))).await?;
    let mut reports = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        // A tenant for each: what the one keeps, the next does not find.
        let mut id = [0; 16];
        for (byte, from) in id.iter_mut().zip((number as u64 + 1).to_le_bytes()) {
            *byte = from;
        }
        let report = one(&workshop, &hosts, TenantId(id), &project, case).await?;
        if !json {
            print(&report);
        }
        reports.push(report);
    }
    workshop.close().await;
    let failed = reports.iter().filter(|report| !report.passed).count();
    let all = Reports { function: project.name, passed: reports.len() - failed, failed, cases: reports };
    if json {
        println!("{}", serde_json::to_string_pretty(&all).map_err(DevError::machine)?);
    } else {
        println!("\n{}: {} passed, {failed} failed", all.function, all.passed);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn one(
    workshop: &Workshop,
    hosts: &GivenHosts,
    tenant: TenantId,
    project: &Project,
    case: &Case,
) -> Result<Report, DevError> {
    workshop.load(tenant, project).await?;
    for (key, value) in &case.store {
        workshop.keep(tenant, &project.name, key, value).await?;
    }
    workshop.secrets.set(case.secrets.clone());
    hosts.set(case.answers.clone());
    let completed = workshop.invoke(tenant, &project.name, case.event.as_bytes()).await?;
    let mut reasons = Vec::new();
    reasons.extend(case.expect.outcome.as_ref().and_then(|expected| other_outcome(expected, &completed)));
    reasons.extend(missing_line(&case.expect.logs, &completed));
    for (key, expected) in &case.expect.store {
        let kept = workshop.value(tenant, &project.name, key).await?;
        let alike = match (&kept, expected) {
            (Some(kept), Some(expected)) => same(kept, expected),
            (kept, expected) => kept.is_none() && expected.is_none(),
        };
        if !alike {
            reasons.push(format!(
                "it kept {} under {key:?}, not {}",
                shown(kept.as_ref()),
                shown(expected.as_ref())
            ));
        }
    }
    let (unasked, unanswered) = hosts.left();
    reasons.extend(unasked.iter().map(|request| format!("it never asked for {request}")));
    reasons.extend(
        unanswered.iter().map(|request| format!("it asked for {request}, for which the case has no answer")),
    );
    Ok(Report {
        file: case.file.clone(),
        name: case.name.clone(),
        passed: reasons.is_empty(),
        reasons,
        logs: completed.logs.iter().map(|line| format!("{:<5} {}", line.level, line.text)).collect(),
        cpu_us: completed.usage.cpu_us,
        wall_us: completed.usage.wall_us,
    })
}

fn other_outcome(expected: &Outcome, completed: &Completed) -> Option<String> {
    match (expected, &completed.outcome) {
        (Outcome::Output(expected), Ended::Output(text)) => {
            let output: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            (!same(&output, expected)).then(|| format!("it returned {output}, not {expected}"))
        }
        (Outcome::Error { code, message }, Ended::Error(error)) => {
            let alike = error.code == *code && error.message.contains(message);
            (!alike)
                .then(|| format!("it ended with {}: {}, not {code}: {message}", error.code, error.message))
        }
        (Outcome::Output(expected), Ended::Error(error)) => {
            let stack = error.stack.as_deref().map(|stack| format!("\n{stack}")).unwrap_or_default();
            Some(format!(
                "it ended with {}: {}, and should return {expected}{stack}",
                error.code, error.message
            ))
        }
        (Outcome::Error { code, .. }, Ended::Output(text)) => {
            Some(format!("it returned {text}, and should end with {code}"))
        }
    }
}

/// The first text that no line of the log holds, after the line that held the one before.
fn missing_line(expected: &[String], completed: &Completed) -> Option<String> {
    let mut lines = completed.logs.iter();
    let missing = expected.iter().find(|text| !lines.any(|line| line.text.contains(text.as_str())))?;
    Some(format!("no line of its log, in this order, holds {missing:?}"))
}

/// Whether two values are the same to a program of JavaScript: 1 is 1.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

fn print(report: &Report) {
    let verdict = if report.passed { "ok  " } else { "FAIL" };
    println!("{verdict} {} ({}, {} us of CPU)", report.name, report.file, report.cpu_us);
    for reason in &report.reasons {
        println!("     {}", reason.replace('\n', "\n     "));
    }
    if !report.passed {
        for line in &report.logs {
            println!("     | {line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        assert!(same(&json!({ "a": [1, 2.5] }), &json!({ "a": [1.0, 2.5] })));
        assert!(!same(&json!({ "a": 1 }), &json!({ "a": 1, "b": null })));
        assert!(!same(&json!([1, 2]), &json!([2, 1])));
        assert!(!same(&json!("1"), &json!(1)));
    }
}
