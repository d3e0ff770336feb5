//! Each step of a job's life.

use r3e_proto::api::jobs::{JobId, Origin, RetryPolicy};

use super::*;

fn queued(policy: RetryPolicy, webhook: bool) -> Record {
    let webhook = webhook.then(|| Webhook {
        url: "https://a.test/".into(),
        state: WebhookState::Waiting,
        attempts: 0,
        last: None,
        last_at_ms: None,
    });
    let job = Job {
        id: JobId([1; 16]),
        function: "f".into(),
        state: JobState::Queued,
        origin: Origin::Api,
        hops: 0,
        queued_at_ms: 5,
        finished_at_ms: None,
        removed_at_ms: None,
        attempts: Vec::new(),
        reason: None,
        policy,
        keep_ms: 100,
        event_bytes: 4,
        event_sha256: String::new(),
        webhook,
    };
    Record { job, due_at_ms: 5, bytes: 9 }
}

fn ended(record: &mut Record, how: &Ended, now_ms: u64) {
    record.begin(now_ms, [9; 16]);
    assert_eq!(record.place(), Place::Running { bytes: 9 });
    record.end(how, now_ms + 1, |longest| longest);
}

#[test]
fn a_result_ends_the_job_and_it_is_kept() {
    let mut record = queued(RetryPolicy::default(), false);
    ended(&mut record, &Ended::Result, 10);
    assert_eq!(record.place(), Place::Kept { until_ms: 111, state: JobState::Succeeded, bytes: 9 });
    assert_eq!(record.job.finished_at_ms, Some(11));
    assert_eq!(record.job.attempts[0].outcome.as_deref(), Some("ok"));
    assert_eq!(Record::decode(&record.encode().unwrap()).unwrap(), record);
}

#[test]
fn an_interrupted_attempt_counts_and_the_reason_is_said() {
    let mut record = queued(RetryPolicy { attempts: 2, ..RetryPolicy::default() }, false);
    ended(&mut record, &Ended::Interrupted, 10);
    assert_eq!(record.place(), Place::Queued { due_ms: 1_011, bytes: 9 });
    let reason = record.job.reason.clone().unwrap();
    assert!(reason.contains("attempt 1 of 2") && reason.contains("interrupted"), "{reason}");
    ended(&mut record, &Ended::Interrupted, 2_000);
    assert_eq!(record.job.state, JobState::Dead);
    assert_eq!(record.job.attempts.len(), 2);
}

#[test]
fn what_the_policy_does_not_name_is_not_retried() {
    for (how, retry_on) in [
        (Ended::Error("function_error".into()), RetryOn::FunctionError),
        (Ended::Error("store_unconfirmed".into()), RetryOn::StoreUnconfirmed),
        (Ended::Error("timeout".into()), RetryOn::Timeout),
        (Ended::Error("memory_limit".into()), RetryOn::Limit),
    ] {
        let mut record = queued(RetryPolicy::default(), false);
        ended(&mut record, &how, 10);
        assert_eq!(record.job.state, JobState::Dead, "{how:?}");
        assert!(record.job.reason.as_ref().unwrap().contains("does not retry"));
        let mut record = queued(RetryPolicy { retry_on: vec![retry_on], ..RetryPolicy::default() }, false);
        ended(&mut record, &how, 10);
        assert_eq!(record.job.state, JobState::Queued, "{how:?}");
        assert_eq!(record.job.attempts[0].outcome.as_deref(), Some(how.code()));
    }
}

#[test]
fn what_was_refused_is_never_retried() {
    let policy = RetryPolicy { attempts: 10, retry_on: RetryOn::ALL.to_vec(), ..RetryPolicy::default() };
    for how in [Ended::Refused("no_function"), Ended::Error("a code of another release".into())] {
        let mut record = queued(policy.clone(), false);
        ended(&mut record, &how, 10);
        assert_eq!(record.job.state, JobState::Dead);
    }
}

#[test]
fn without_room_no_attempt_is_counted() {
    let mut record = queued(RetryPolicy { attempts: 1, ..RetryPolicy::default() }, false);
    record.begin(10, [9; 16]);
    record.put_back(600);
    assert_eq!(record.place(), Place::Queued { due_ms: 600, bytes: 9 });
    assert!(record.job.attempts.is_empty());
}

#[test]
fn delays_grow_between_attempts() {
    let mut record = queued(RetryPolicy { attempts: 10, ..RetryPolicy::default() }, false);
    let mut delays = Vec::new();
    while record.job.state == JobState::Queued {
        ended(&mut record, &Ended::Unavailable, 0);
        delays.push(record.due_at_ms.saturating_sub(1));
    }
    assert_eq!(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 0]);
}

#[test]
fn a_webhook_is_told_until_it_answers_or_enough_was_tried() {
    let failed = Told { what: "http_500".into(), is_enough: false, may_be_repeated: true };
    let mut record = queued(RetryPolicy::default(), true);
    ended(&mut record, &Ended::Result, 10);
    assert_eq!(record.place(), Place::Telling { due_ms: 11, state: JobState::Succeeded, bytes: 9 });
    record.told(&failed, 20, |longest| longest);
    assert_eq!(
        record.place(),
        Place::Telling { due_ms: 20 + WEBHOOK_FIRST_DELAY_MS, state: JobState::Succeeded, bytes: 9 }
    );
    let mut answered = record.clone();
    answered
        .told(&Told { what: "http_204".into(), is_enough: true, ..failed.clone() }, 30, |longest| longest);
    assert_eq!(answered.place(), Place::Kept { until_ms: 130, state: JobState::Succeeded, bytes: 9 });
    assert_eq!(answered.job.webhook.as_ref().unwrap().state, WebhookState::Delivered);

    let mut tries = 1;
    while matches!(record.place(), Place::Telling { .. }) {
        record.told(&failed, 40, |longest| longest);
        tries += 1;
    }
    assert_eq!(tries, WEBHOOK_ATTEMPTS);
    assert_eq!(record.job.webhook.as_ref().unwrap().state, WebhookState::Failed);
    assert_eq!(record.job.state, JobState::Succeeded, "a webhook changes no outcome");
}

#[test]
fn a_webhook_that_may_not_be_told_is_not_tried_again() {
    let mut record = queued(RetryPolicy::default(), true);
    record.cancel(10);
    assert_eq!(record.place(), Place::Telling { due_ms: 10, state: JobState::Cancelled, bytes: 9 });
    let never = Told { what: "host_not_granted".into(), is_enough: false, may_be_repeated: false };
    record.told(&never, 20, |longest| longest);
    assert_eq!(record.place(), Place::Kept { until_ms: 120, state: JobState::Cancelled, bytes: 9 });
    assert_eq!(record.job.webhook.unwrap().last.as_deref(), Some("host_not_granted"));
}
