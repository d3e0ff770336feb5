//! The logs of the latest invocations, in memory: they are a help while one writes a function, and are gone with the
//! process. What must last is in the receipt, which holds the log's hash.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use r3e_proto::api::functions::LogEntry;
use r3e_proto::api::identity::TenantId;

use crate::limits::{MAX_KEPT_LOG_BYTES, MAX_KEPT_LOGS, MAX_LOGGED_FUNCTIONS};

/// The kept logs of all functions. When there are too many functions, those invoked longest ago are forgotten first.
pub struct Logs {
    functions: Mutex<LruCache<(TenantId, String), Kept>>,
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<LogEntry>,
    bytes: usize,
}

impl Logs {
    /// No logs yet.
    pub fn new() -> Self {
        let most = NonZeroUsize::new(MAX_LOGGED_FUNCTIONS).unwrap_or(NonZeroUsize::MIN);
        Self { functions: Mutex::new(LruCache::new(most)) }
    }

    /// Keeps the log of one more invocation.
    pub fn add(&self, tenant: TenantId, function: &str, entry: LogEntry) {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = functions.get_or_insert_mut((tenant, function.to_owned()), Kept::default);
        kept.bytes += bytes_of(&entry);
        kept.entries.push_back(entry);
        while kept.entries.len() > MAX_KEPT_LOGS || kept.bytes > MAX_KEPT_LOG_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= bytes_of(&oldest);
        }
    }

    /// The kept logs of one function, oldest first.
    pub fn of(&self, tenant: TenantId, function: &str) -> Vec<LogEntry> {
        let functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = functions.peek(&(tenant, function.to_owned()));
        kept.map(|kept| kept.entries.iter().cloned().collect()).unwrap_or_default()
    }

    /// Forgets the logs of a function that was deleted.
    pub fn forget(&self, tenant: TenantId, function: &str) {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions.pop(&(tenant, function.to_owned()));
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self::new()
    }
}

/// What an entry takes in memory, near enough: its texts, and each line's own structure.
fn bytes_of(entry: &LogEntry) -> usize {
    const LINE_BYTES: usize = 64;
    let lines: usize = entry.lines.iter().map(|line| line.text.len() + LINE_BYTES).sum();
    lines + entry.invocation.len() + entry.version.len() + entry.outcome.len() + LINE_BYTES
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::functions::LogLine;

    use super::*;

    const TENANT: TenantId = TenantId([1; 16]);

    fn entry(number: usize, text: String) -> LogEntry {
        let lines = vec![LogLine { level: "info".into(), text }];
        LogEntry {
            invocation: number.to_string(),
            version: "v".into(),
            at_ms: 0,
            outcome: "ok".into(),
            lines,
        }
    }

    fn numbers(logs: &Logs, tenant: TenantId, function: &str) -> Vec<String> {
        logs.of(tenant, function).into_iter().map(|entry| entry.invocation).collect()
    }

    #[test]
    fn the_latest_are_kept_in_order() {
        let logs = Logs::new();
        for number in 0..MAX_KEPT_LOGS + 3 {
            logs.add(TENANT, "f", entry(number, String::new()));
        }
        let expected: Vec<String> = (3..MAX_KEPT_LOGS + 3).map(|number| number.to_string()).collect();
        assert_eq!(numbers(&logs, TENANT, "f"), expected);
    }

    #[test]
    fn long_logs_push_older_ones_out() {
        let logs = Logs::new();
        for number in 0..5 {
            logs.add(TENANT, "f", entry(number, "x".repeat(MAX_KEPT_LOG_BYTES / 2 - 200)));
        }
        assert_eq!(numbers(&logs, TENANT, "f"), ["3", "4"]);
        logs.add(TENANT, "f", entry(5, "x".repeat(MAX_KEPT_LOG_BYTES)));
        assert!(numbers(&logs, TENANT, "f").is_empty(), "one that is too long alone is not kept");
        logs.add(TENANT, "f", entry(6, String::new()));
        assert_eq!(numbers(&logs, TENANT, "f"), ["6"]);
    }

    #[test]
    fn nobody_sees_or_drops_anothers() {
        let logs = Logs::new();
        logs.add(TENANT, "f", entry(1, String::new()));
        logs.add(TenantId([2; 16]), "f", entry(2, String::new()));
        logs.add(TENANT, "g", entry(3, String::new()));
        logs.forget(TENANT, "f");
        assert!(numbers(&logs, TENANT, "f").is_empty());
        assert_eq!(numbers(&logs, TenantId([2; 16]), "f"), ["2"]);
        assert_eq!(numbers(&logs, TENANT, "g"), ["3"]);
    }

    #[test]
    fn only_so_many_functions_have_logs() {
        let logs = Logs::new();
        for number in 0..=MAX_LOGGED_FUNCTIONS {
            logs.add(TENANT, &number.to_string(), entry(number, String::new()));
        }
        assert!(numbers(&logs, TENANT, "0").is_empty());
        assert_eq!(numbers(&logs, TENANT, "1"), ["1"]);
    }
}
