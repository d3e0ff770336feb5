//! The tables: medians over the rounds, and ratios to HAProxy taken round by round, so that what the machine did in
//! between weighs on both.

use std::fmt;
use std::time::Duration;

use crate::load::{Done, Workload};

const TARGETS: [&str; 4] = ["direct", "haproxy", "r3e-parent", "copy"];
const REFERENCE: &str = "haproxy";

/// Every measurement.
#[derive(Debug, Default)]
pub struct Report {
    measurements: Vec<Measurement>,
}

#[derive(Debug)]
struct Measurement {
    workload: Workload,
    target: &'static str,
    /// A second.
    rate: f64,
    /// Microseconds of the target's CPU for each request, connection or MiB.
    cpu_us: f64,
}

impl Report {
    /// Adds what one target did in one round.
    pub fn add(&mut self, workload: Workload, target: &'static str, done: Done, cpu: Duration) {
        let unit = if workload.counts_bytes() { 1024.0 * 1024.0 } else { 1.0 };
        let count = done.count as f64 / unit;
        let rate = count / done.took.as_secs_f64();
        self.measurements.push(Measurement {
            workload,
            target,
            rate,
            cpu_us: cpu.as_secs_f64() * 1e6 / count,
        });
    }

    fn values(&self, workload: Workload, target: &str, value: impl Fn(&Measurement) -> f64) -> Vec<f64> {
        self.measurements.iter().filter(|m| m.workload == workload && m.target == target).map(value).collect()
    }

    fn table(
        &self,
        f: &mut fmt::Formatter<'_>,
        title: &str,
        value: impl Fn(&Measurement) -> f64,
    ) -> fmt::Result {
        writeln!(f, "\n| {title} | {} |", TARGETS.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(TARGETS.len()))?;
        for workload in Workload::ALL {
            let reference = self.values(workload, REFERENCE, &value);
            write!(f, "| {} |", workload.name())?;
            for target in TARGETS {
                let values = self.values(workload, target, &value);
                let ratios =
                    values.iter().zip(&reference).map(|(value, reference)| value / reference).collect();
                write!(f, " {:.*} ({:.2}) |", digits(&values), median(values), median(ratios))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table(f, "rate (ratio to haproxy)", |measurement| measurement.rate)?;
        self.table(f, "CPU us of the proxy for each request, connection, MiB", |measurement| {
            measurement.cpu_us
        })
    }
}

fn digits(values: &[f64]) -> usize {
    if values.iter().any(|value| *value >= 100.0) { 0 } else { 1 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
