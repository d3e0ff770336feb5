//! A function's log: bytes cut into lines, and lines bounded.

use crate::limits::MAX_LOG_LINES;
use crate::link::Sender;
use r3e_runner_api::limits::MAX_LOG_TEXT_BYTES;
use r3e_runner_api::{LogLevel, LogRecord, RunnerMessage};

/// The log of one event.
#[derive(Debug)]
pub struct Log {
    sender: Sender,
    /// A line that has not ended.
    line: Vec<u8>,
    bytes_left: usize,
    lines_left: u32,
}

impl Log {
    /// A log of at most so many bytes.
    pub fn new(sender: Sender, bytes: u32) -> Self {
        let bytes_left = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { sender, line: Vec::new(), bytes_left, lines_left: MAX_LOG_LINES }
    }

    /// Takes bytes; what ends with a line feed is sent.
    pub fn write(&mut self, level: LogLevel, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.split_last() {
                Some((b'\n', rest)) => {
                    self.keep(rest);
                    self.end_line(level);
                }
                _ => self.keep(piece),
            }
        }
    }

    /// Sends the line that has not ended, if there is one.
    pub fn end_line(&mut self, level: LogLevel) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        self.send(level, &String::from_utf8_lossy(&line));
    }

    /// Sends one line.
    pub fn send(&mut self, level: LogLevel, text: &str) {
        let (left, lines) = (self.bytes_left, self.lines_left);
        if left == 0 || lines == 0 {
            return;
        }
        let kept = text.get(..text.floor_char_boundary(left.min(MAX_LOG_TEXT_BYTES))).unwrap_or_default();
        let last = text.len() > left || lines == 1;
        let truncated = last || kept.len() < text.len();
        // A line costs at least a byte, so that empty ones are not free.
        self.bytes_left = if last { 0 } else { left.saturating_sub(kept.len().max(1)) };
        self.lines_left = lines - 1;
        self.sender.send(&RunnerMessage::Log(LogRecord { level, truncated, text: kept.to_owned() }));
    }

    /// Keeps as much of a line as is ever sent of one, and a byte more, which says that there was more.
    fn keep(&mut self, bytes: &[u8]) {
        let room = (MAX_LOG_TEXT_BYTES + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
    }
}
