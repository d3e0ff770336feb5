//! What is kept, what a cursor finds, and who waits.

use r3e_proto::api::functions::{LogLine, Usage};

use super::*;

const TENANT: TenantId = TenantId([1; 16]);
const OTHER: TenantId = TenantId([2; 16]);

fn logs() -> Logs {
    Logs::new([7; 16])
}

fn add(logs: &Logs, tenant: TenantId, function: &str, number: usize, text: String) {
    let lines = vec![LogLine { level: "info".into(), text }];
    let entry = LogEntry {
        invocation: number.to_string(),
        version: "v".into(),
        at_ms: 0,
        outcome: "ok".into(),
        lines,
    };
    let trace = Trace {
        invocation: number.to_string(),
        version: "v".into(),
        at_ms: 0,
        outcome: "ok".into(),
        total_us: number as u64,
        usage: Usage::default(),
        spans: Vec::new(),
        calls_left_out: 0,
    };
    logs.add(tenant, function, entry, trace);
}

fn numbers(page: &LogPage) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.invocation.as_str()).collect()
}

#[test]
fn the_latest_are_kept_in_order() {
    let logs = logs();
    for number in 0..MAX_KEPT_LOGS + 3 {
        add(&logs, TENANT, "f", number, String::new());
    }
    let expected: Vec<String> = (3..MAX_KEPT_LOGS + 3).map(|number| number.to_string()).collect();
    assert_eq!(numbers(&logs.page(TENANT, "f", None)), expected);
    assert_eq!(logs.trace(TENANT, "f", "5").unwrap().total_us, 5);
    assert_eq!(logs.trace(TENANT, "f", "2"), None, "its log is gone, and so is its trace");
    assert_eq!((logs.trace(OTHER, "f", "5"), logs.trace(TENANT, "g", "5")), (None, None));
}

#[test]
fn long_logs_push_older_ones_out() {
    let logs = logs();
    for number in 0..5 {
        add(&logs, TENANT, "f", number, "x".repeat(MAX_KEPT_LOG_BYTES / 2 - 200));
    }
    assert_eq!(numbers(&logs.page(TENANT, "f", None)), ["3", "4"]);
    add(&logs, TENANT, "f", 5, "x".repeat(MAX_KEPT_LOG_BYTES));
    assert!(logs.page(TENANT, "f", None).entries.is_empty(), "one that is too long alone is not kept");
    add(&logs, TENANT, "f", 6, String::new());
    assert_eq!(numbers(&logs.page(TENANT, "f", None)), ["6"]);
}

#[test]
fn nobody_sees_or_drops_anothers() {
    let logs = logs();
    add(&logs, TENANT, "f", 1, String::new());
    add(&logs, OTHER, "f", 2, String::new());
    add(&logs, TENANT, "g", 3, String::new());
    logs.forget(TENANT, "f");
    assert!(logs.page(TENANT, "f", None).entries.is_empty());
    assert_eq!(numbers(&logs.page(OTHER, "f", None)), ["2"]);
    assert_eq!(numbers(&logs.page(TENANT, "g", None)), ["3"]);
}

#[test]
fn only_so_many_functions_have_logs() {
    let logs = logs();
    for number in 0..=MAX_LOGGED_FUNCTIONS {
        add(&logs, TENANT, &number.to_string(), number, String::new());
    }
    assert!(logs.page(TENANT, "0", None).entries.is_empty());
    assert_eq!(numbers(&logs.page(TENANT, "2", None)), ["2"]);
}

#[test]
fn a_cursor_finds_what_came_after_it_and_says_what_is_missing() {
    let logs = logs();
    let before = logs.page(TENANT, "f", None);
    assert!(before.entries.is_empty() && !before.gap);
    for number in 1..=3 {
        add(&logs, TENANT, "f", number, String::new());
    }
    let page = logs.page(TENANT, "f", Some(&before.cursor));
    assert_eq!((numbers(&page), page.gap), (vec!["1", "2", "3"], false));
    add(&logs, TENANT, "f", 4, String::new());
    let page = logs.page(TENANT, "f", Some(&page.cursor));
    assert_eq!((numbers(&page), page.gap), (vec!["4"], false));
    let nothing = logs.page(TENANT, "f", Some(&page.cursor));
    assert!(nothing.entries.is_empty() && !nothing.gap && nothing.cursor == page.cursor);
    for number in 5..=5 + MAX_KEPT_LOGS {
        add(&logs, TENANT, "f", number, String::new());
    }
    let page = logs.page(TENANT, "f", Some(&page.cursor));
    assert!(page.gap && page.entries.len() == MAX_KEPT_LOGS);
    // Of another process, of a log that was forgotten, of the future, and what is none: all there is, and that it may not be all.
    let other = Logs::new([8; 16]);
    let of_another_process = other.page(TENANT, "f", None).cursor;
    logs.forget(TENANT, "f");
    add(&logs, TENANT, "f", 1, String::new());
    let epoch = logs.page(TENANT, "f", None).cursor.split_once('-').unwrap().0.to_owned();
    for wrong in [
        of_another_process,
        page.cursor,
        format!("{epoch}-9"),
        format!("{epoch}-"),
        "x".into(),
        String::new(),
    ] {
        let page = logs.page(TENANT, "f", Some(&wrong));
        assert_eq!((numbers(&page), page.gap), (vec!["1"], true), "{wrong}");
    }
    let largest = format!("{epoch}-{}", u64::MAX);
    assert!(logs.page(TENANT, "f", Some(&largest)).gap);
}

#[tokio::test]
async fn a_follower_hears_of_the_next_entry_of_its_own_function() {
    let logs = Arc::new(logs());
    let cursor = logs.page(TENANT, "f", None).cursor;
    let follower = tokio::spawn({
        let (logs, cursor) = (Arc::clone(&logs), cursor.clone());
        async move { logs.follow(TENANT, "f", Some(&cursor), MAX_FOLLOW_MS).await.unwrap() }
    });
    while logs.lock().followers.is_empty() {
        tokio::task::yield_now().await;
    }
    add(&logs, TENANT, "g", 1, String::new());
    add(&logs, OTHER, "f", 2, String::new());
    add(&logs, TENANT, "f", 3, String::new());
    assert_eq!(numbers(&follower.await.unwrap()), ["3"]);
    assert!(logs.lock().followers.is_empty());
    // What is there already is waited for by nobody; what does not come is not waited for longer than was asked.
    assert_eq!(numbers(&logs.follow(TENANT, "f", Some(&cursor), MAX_FOLLOW_MS).await.unwrap()), ["3"]);
    let latest = logs.page(TENANT, "f", None).cursor;
    assert!(logs.follow(TENANT, "f", Some(&latest), 10).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn no_entry_is_missed_or_told_twice_however_fast_they_come() {
    let logs = Arc::new(logs());
    let start = logs.page(TENANT, "f", None).cursor;
    let follower = tokio::spawn({
        let logs = Arc::clone(&logs);
        async move {
            let (mut cursor, mut seen) = (start, Vec::new());
            while seen.len() < 200 {
                let page = logs.follow(TENANT, "f", Some(&cursor), MAX_FOLLOW_MS).await.unwrap();
                assert!(!page.gap);
                seen.extend(page.entries.into_iter().map(|entry| entry.invocation));
                cursor = page.cursor;
            }
            seen
        }
    });
    for number in 0..200 {
        add(&logs, TENANT, "f", number, String::new());
        if number % 3 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let expected: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(follower.await.unwrap(), expected);
}

#[tokio::test]
async fn only_so_many_of_a_tenants_questions_wait() {
    let logs = Arc::new(logs());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..MAX_FOLLOWERS {
        let logs = Arc::clone(&logs);
        waiting.spawn(async move { logs.follow(TENANT, "f", None, MAX_FOLLOW_MS).await });
    }
    while logs.lock().followers.get(&TENANT) != Some(&MAX_FOLLOWERS) {
        tokio::task::yield_now().await;
    }
    assert_eq!(logs.follow(TENANT, "f", None, MAX_FOLLOW_MS).await, Err(TooManyFollowers));
    assert!(logs.follow(OTHER, "f", None, 0).await.is_ok());
    waiting.shutdown().await;
    assert!(logs.follow(TENANT, "f", None, 0).await.is_ok(), "who goes away makes room");
}
