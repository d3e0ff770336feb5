//! `r3e functions logs`, `metrics` and `trace`.

use std::fmt::Write as _;

use clap::Subcommand;
use r3e_proto::api::functions::{LogEntry, LogLine};
use r3e_proto::api::observations::{Histogram, Metrics, Span, Trace, VersionMetrics};

use crate::error::CliError;
use crate::output::{Printer, fields, note, printable, table, text, time};
use crate::session;
use crate::settings::Settings;

/// How long one question for more of a log waits: what the appliance takes.
const FOLLOW_MS: u64 = 8_000;
/// Width of a trace's bars, in characters.
const BAR: u64 = 40;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the logs of a function's latest invocations
    #[command(after_help = "\
An invocation's log is shown when it has ended. With --follow and --json, each is one line.

Examples:
  r3e functions logs price --follow
  r3e functions logs price --after 9f86d081884c7d65-12 --json")]
    Logs {
        /// The function's name
        name: String,
        /// Go on, and show each log as it comes, until the command is ended
        #[arg(long)]
        follow: bool,
        /// Only what came after this cursor, which an earlier --json or a broken --follow has shown
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
    /// Show what a function's invocations took: how many, errors, times
    Metrics {
        /// The function's name
        name: String,
    },
    /// Show where the time of one of a function's latest invocations went
    #[command(after_help = "Example:\n  r3e functions trace price 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Trace {
        /// The function's name
        name: String,
        /// The invocation, as its receipt and the log name it
        invocation: String,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    match command {
        Command::Logs { name, follow: false, after } => {
            let page = tenant.log_page(&name, after.as_deref(), 0).await?;
            if after.is_some() {
                told_gap(page.gap);
                note(&format!("r3e: the next --after is {}", page.cursor));
            }
            printer.result(&page.entries, |entries| entries.iter().map(human).collect())
        }
        Command::Logs { name, follow: true, after } => {
            let mut cursor = after;
            loop {
                let page = tenant.log_page(&name, cursor.as_deref(), FOLLOW_MS).await.inspect_err(|_| {
                    if let Some(cursor) = &cursor {
                        note(&format!("r3e: go on with --after {cursor}"));
                    }
                })?;
                told_gap(page.gap);
                for entry in &page.entries {
                    text(&if printer.is_json() { line(entry)? } else { human(entry) })?;
                }
                cursor = Some(page.cursor);
            }
        }
        Command::Metrics { name } => {
            let metrics = tenant.metrics(&name).await?;
            printer.result(&metrics, shown_metrics)
        }
        Command::Trace { name, invocation } => {
            let trace = tenant.trace(&name, &invocation).await?;
            printer.result(&trace, shown_trace)
        }
    }
}

fn told_gap(gap: bool) {
    if gap {
        note("r3e: some of the log is gone: later entries pushed it out, or the appliance started anew");
    }
}

fn line(entry: &LogEntry) -> Result<String, CliError> {
    serde_json::to_string(entry)
        .map_err(|error| CliError::Io { what: "the log".to_owned(), source: error.into() })
}

fn human(entry: &LogEntry) -> String {
    let line = |line: &LogLine| format!("    {:<5} {}\n", printable(&line.level), printable(&line.text));
    let lines: String = entry.lines.iter().map(line).collect();
    let (invocation, outcome) = (printable(&entry.invocation), printable(&entry.outcome));
    format!("{} {invocation} {outcome}\n{lines}", time(entry.at_ms))
}

fn shown_metrics(metrics: &Metrics) -> String {
    let since = metrics.since_ms.map_or_else(|| "no invocation yet".to_owned(), time);
    let mut shown = fields(&[
        ("function", metrics.function.clone()),
        ("since", since),
        ("turned away", metrics.turned_away.to_string()),
    ]);
    let within = |histogram: &Histogram, percent| match histogram.percentile_ms(percent) {
        Some(ms) => format!("{ms} ms"),
        None => "over 60 s".to_owned(),
    };
    let row = |of: &VersionMetrics| {
        let errors: Vec<String> = of.errors.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let mean_us = of.cpu_us.checked_div(of.invocations).unwrap_or_default();
        [
            of.version.get(..16).unwrap_or(&of.version).to_owned(),
            of.invocations.to_string(),
            errors.join(", "),
            within(&of.latency, 50),
            within(&of.latency, 99),
            within(&of.waiting, 99),
            format!("{mean_us} us"),
        ]
    };
    shown.push('\n');
    let head = ["VERSION", "COUNT", "ERRORS", "HALF WITHIN", "99 % WITHIN", "WAITING 99 %", "CPU, MEAN"];
    shown + &table(head, &metrics.versions.iter().map(row).collect::<Vec<_>>())
}

fn shown_trace(trace: &Trace) -> String {
    let mut shown = fields(&[
        ("invocation", trace.invocation.clone()),
        ("version", trace.version.clone()),
        ("ended", time(trace.at_ms)),
        ("outcome", trace.outcome.clone()),
        ("total", millis(trace.total_us)),
        ("cpu", millis(trace.usage.cpu_us)),
        ("memory", format!("{} KiB at most", trace.usage.peak_memory_bytes / 1024)),
    ]);
    shown.push('\n');
    for span in &trace.spans {
        let name = format!("{}{}", "  ".repeat(usize::from(span.depth)), printable(&span.name));
        let told: Vec<_> =
            [&span.outcome, &span.detail].into_iter().flatten().map(|text| printable(text)).collect();
        let row = format!(
            "{name:<16} {:>12}  |{}|  {}",
            millis(span.duration_us),
            bar(span, trace.total_us),
            told.join(" ")
        );
        shown.push_str(row.trim_end());
        shown.push('\n');
    }
    if trace.calls_left_out > 0 {
        // Writing to a string does not fail.
        let _ = writeln!(shown, "  ({} more host calls are not recorded)", trace.calls_left_out);
    }
    shown
}

/// Where a part lies in the whole: at least one character of it.
fn bar(span: &Span, total_us: u64) -> String {
    let total = u128::from(total_us.max(1));
    let at = |time_us: u64| {
        let column = u128::from(time_us) * u128::from(BAR) / total;
        usize::try_from(column.min(u128::from(BAR))).unwrap_or_default()
    };
    let width = usize::try_from(BAR).unwrap_or_default();
    let start = at(span.start_us).min(width.saturating_sub(1));
    let end = at(span.start_us.saturating_add(span.duration_us)).max(start + 1);
    format!("{}{}{}", " ".repeat(start), "#".repeat(end - start), " ".repeat(width.saturating_sub(end)))
}

fn millis(time_us: u64) -> String {
    format!("{}.{:03} ms", time_us / 1_000, time_us % 1_000)
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::functions::Usage;

    use super::*;

    fn span(name: &str, depth: u8, start_us: u64, duration_us: u64) -> Span {
        Span { name: name.into(), depth, start_us, duration_us, outcome: None, detail: None }
    }

    #[test]
    fn a_trace_is_drawn_to_scale() {
        let call = Span {
            outcome: Some("ok".into()),
            detail: Some("GET a.test\u{1b}[2J".into()),
            ..span("fetch", 1, 5_000, 2_500)
        };
        let trace = Trace {
            invocation: "00".into(),
            version: "11".into(),
            at_ms: 0,
            outcome: "ok".into(),
            total_us: 10_000,
            usage: Usage { cpu_us: 1_234, ..Usage::default() },
            spans: vec![span("queue", 0, 0, 0), span("run", 0, 0, 10_000), call],
            calls_left_out: 3,
        };
        let shown = shown_trace(&trace);
        let rows: Vec<&str> = shown.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
        let full = "#".repeat(40);
        assert_eq!(rows[0], format!("queue                0.000 ms  |#{}|", " ".repeat(39)));
        assert_eq!(rows[1], format!("run                 10.000 ms  |{full}|"));
        let part = format!("{}{}{}", " ".repeat(20), "#".repeat(10), " ".repeat(10));
        assert_eq!(rows[2], format!("  fetch              2.500 ms  |{part}|  ok GET a.test\\u{{1b}}[2J"));
        assert_eq!(rows[3], "  (3 more host calls are not recorded)");
        assert!(shown.contains("1.234 ms"));
    }

    #[test]
    fn a_bar_stays_within_its_frame_whatever_the_numbers_are() {
        for (start, duration, total) in
            [(0, 0, 0), (u64::MAX, u64::MAX, 1), (10, 10, 10), (0, u64::MAX, u64::MAX), (9, 0, 10)]
        {
            assert_eq!(bar(&span("x", 0, start, duration), total).len(), 40, "{start} {duration} {total}");
        }
    }
}
