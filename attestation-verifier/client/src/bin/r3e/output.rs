//! What the tool prints: results on standard output, everything else on standard error.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use crate::error::CliError;

/// Prints results, as text or as one JSON object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result: `value` as JSON, or the text that `human` makes of it.
    pub(crate) fn result<T: Serialize>(
        self,
        value: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(value)
                .map_err(|error| CliError::Io { what: "the result".to_owned(), source: error.into() })?
        } else {
            human(value)
        };
        self::text(&text)
    }

    /// Says why a command failed.
    pub(crate) fn fail(self, error: &CliError) {
        let (chain, advice) = (error.chain(), error.advice());
        // What a function threw stands in its invocation, which was printed as this object.
        if self.json && !matches!(error, CliError::Function { .. }) {
            let value = json!({ "error": { "code": error.code(), "message": chain, "advice": advice } });
            drop(text(&format!("{value:#}")));
        }
        note(&format!("r3e: {}", printable(&chain)));
        if let Some(advice) = advice {
            note(&format!("     {advice}"));
        }
    }
}

/// Prints text and, where it does not end in one, a line feed.
pub(crate) fn text(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    match written {
        // Whoever read the output has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| CliError::Io { what: "standard output".to_owned(), source }),
    }
}

/// Says something on standard error.
pub(crate) fn note(text: &str) {
    let mut line = text.to_owned();
    line.push('\n');
    // Where standard error is gone, there is nowhere to say so.
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

/// A spinner while something takes long; nothing where standard error is no terminal.
pub(crate) fn spinner(doing: &'static str) -> Spinner {
    if !io::stderr().is_terminal() {
        return Spinner(ProgressBar::hidden());
    }
    let bar = ProgressBar::new_spinner().with_message(doing);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    Spinner(bar)
}

/// A spinner that is gone when it is dropped.
pub(crate) struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Text that came from elsewhere, for a terminal: control characters are shown, not obeyed.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::new(), |mut shown, c| {
        if hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    }))
}

/// A table of columns as wide as their widest cell.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(printable(cell).chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [Cow<'_, str>; N]| {
        let mut one = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            // Writing to a string does not fail.
            let _ = write!(one, "{cell:width$}  ");
        }
        text.push_str(one.trim_end());
        text.push('\n');
    };
    line(head.map(Cow::Borrowed));
    for row in rows {
        line(std::array::from_fn(|i| row.get(i).map_or(Cow::Borrowed(""), |cell| printable(cell))));
    }
    text
}

/// Names and values, one pair a line, the values in one column.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    pairs.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {}", printable(value));
        text
    })
}

/// A Unix time in milliseconds, as RFC 3339.
pub(crate) fn time(unix_ms: u64) -> String {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    i64::try_from(unix_ms / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{unix_ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(printable("plain Ärzte"), "plain Ärzte");
        assert_eq!(printable("\u{1b}[2Jgone\r\n\u{202e}"), "\\u{1b}[2Jgone\\r\\n\\u{202e}");
    }

    #[test]
    fn tables_line_up() {
        let rows = [["a".to_owned(), "1".to_owned()], ["long\u{7}".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "N"], &rows), "NAME       N\na          1\nlong\\u{7}\n");
    }

    #[test]
    fn times_are_read_by_people() {
        assert_eq!(time(1_763_000_000_999), "2025-11-13T02:13:20Z");
        assert_eq!(time(u64::MAX), "18446744073709551615 ms");
    }
}
