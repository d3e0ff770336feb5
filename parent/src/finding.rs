//! What is wrong, in the one form that operators and machines read: a stable code, words, and a next step.
//!
//! [`crate::preflight`] finds things before a start, `health` while the parent runs; both end up here.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It works, and someone should know.
    Warning,
    /// It does not work.
    Error,
}

/// One thing that someone should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable, for machines: `snake_case`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is found, for people.
    pub words: String,
    /// What to do about it.
    pub next: String,
}

impl Finding {
    pub(crate) fn new(
        code: &str,
        severity: Severity,
        words: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), severity, words: words.into(), next: next.into() }
    }
}

/// Whether any of them keeps the appliance from serving.
pub fn any_error(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// The findings as text, the worst first.
pub fn in_words(findings: &[Finding]) -> String {
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut text = String::new();
    for Finding { code, severity, words, next } in sorted {
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{severity} [{code}]\n  {words}\n  Next: {next}");
    }
    text
}

/// Text of someone else's, fit for a terminal and a log: no control characters, and not too long.
pub(crate) fn shown(bytes: &[u8], max_chars: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let joined = lines.collect::<Vec<_>>().join(" | ");
    let mut shown: String =
        joined.chars().map(|letter| if letter.is_control() { '?' } else { letter }).take(max_chars).collect();
    if joined.chars().nth(max_chars).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_first_and_each_has_its_next_step() {
        let findings = [
            Finding::new("mild", Severity::Warning, "It is warm.", "open a window"),
            Finding::new("grave", Severity::Error, "It burns.", "run"),
        ];
        let text = in_words(&findings);
        assert!(text.find("[grave]").unwrap() < text.find("[mild]").unwrap(), "{text}");
        assert!(text.contains("error [grave]\n  It burns.\n  Next: run\n"));
        assert!(any_error(&findings) && !any_error(&findings[..1]));
    }

    #[test]
    fn what_others_say_cannot_steer_a_terminal() {
        assert_eq!(shown(b"\x1b[2Jred\x07\r\n\n  next \xff", 100), "?[2Jred? | next \u{fffd}");
        assert_eq!(shown("äöü".as_bytes(), 2), "äö…");
        assert_eq!(shown(b"", 5), "");
    }
}
