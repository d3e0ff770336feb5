//! The last lines of a console, for whoever asks why an enclave ended. What an enclave prints is not trusted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::task::JoinHandle;
use tracing::debug;

use crate::finding::shown;
use crate::limits::{MAX_CONSOLE_LINE_BYTES, MAX_CONSOLE_LINES};

/// Follows one or more streams until they end, and keeps the last lines of all.
#[derive(Debug, Default, Clone)]
pub(super) struct Console {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Console {
    /// Reads `stream` to its end in a task of its own. Never stops reading: a full pipe would stop its writer.
    pub(super) fn follow<R>(&self, stream: R, source: &'static str) -> JoinHandle<()>
    where
        R: AsyncRead + Send + Unpin + 'static,
    {
        let console = self.clone();
        tokio::spawn(async move {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::with_capacity(MAX_CONSOLE_LINE_BYTES);
            while let Ok(bytes) = reader.fill_buf().await {
                if bytes.is_empty() {
                    break;
                }
                let (taken, ends) = match bytes.iter().position(|byte| *byte == b'\n') {
                    Some(end) => (end + 1, true),
                    None => (bytes.len(), false),
                };
                let room = MAX_CONSOLE_LINE_BYTES - line.len();
                line.extend(bytes.iter().take(taken.min(room)));
                reader.consume(taken);
                if ends {
                    console.keep(&line, source);
                    line.clear();
                }
            }
            console.keep(&line, source);
        })
    }

    /// The last lines, joined.
    pub(super) fn tail(&self, lines: usize) -> String {
        let kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = kept.len().saturating_sub(lines);
        kept.iter().skip(skipped).cloned().collect::<Vec<_>>().join(" | ")
    }

    fn keep(&self, line: &[u8], source: &'static str) {
        let line = shown(line, MAX_CONSOLE_LINE_BYTES);
        if line.is_empty() {
            return;
        }
        debug!(source, line, "console");
        let mut kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MAX_CONSOLE_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_bounded_and_harmless() {
        let console = Console::default();
        let mut text = (0..200).map(|n| format!("line {n}\r")).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text.push_str(&"x".repeat(100_000));
        text.push_str("\n\x1b[31mred\nno end of line");
        console.follow(std::io::Cursor::new(text.into_bytes()), "test").await.unwrap();
        assert_eq!(console.tail(2), "?[31mred | no end of line");
        let kept = console.lines.lock().unwrap();
        assert_eq!(kept.len(), MAX_CONSOLE_LINES);
        assert!(kept.iter().all(|line| line.len() <= MAX_CONSOLE_LINE_BYTES));
        assert!(kept.iter().any(|line| line == "line 199"));
        assert!(!kept.iter().any(|line| line == "line 1"));
    }
}
