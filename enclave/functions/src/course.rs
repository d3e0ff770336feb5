//! Where the time of one invocation goes: noted while it runs, told when it is over.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use r3e_proto::api::observations::Span;
use r3e_runner_api::{HostErrorCode, HostReply};

use crate::limits::MAX_TRACED_CALLS;
use crate::runner_pool::Stage;

/// What is noted of an invocation under way.
pub(crate) struct Course {
    begun: Instant,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    admitted: Option<Duration>,
    started: Option<Duration>,
    ready: Option<Duration>,
    ran: Option<Duration>,
    calls: Vec<Call>,
    left_out: u64,
}

struct Call {
    name: &'static str,
    detail: Option<String>,
    start: Duration,
    end: Option<(Duration, &'static str)>,
}

/// A call that was noted, until it ends; none if it was one too many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noting(Option<usize>);

/// Where the time went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// From the begin to the result.
    pub total_us: u64,
    /// The part of it before the function ran.
    pub waiting_us: u64,
    /// All parts, by their begin.
    pub spans: Vec<Span>,
    /// Host calls that were one too many to record.
    pub calls_left_out: u64,
}

impl Course {
    /// It begins now.
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), noted: Mutex::default() }
    }

    /// It has come to a stage.
    pub(crate) fn passed(&self, stage: Stage) {
        let now = self.begun.elapsed();
        let mut noted = self.lock();
        match stage {
            Stage::Admitted => noted.admitted = Some(now),
            Stage::Started => noted.started = Some(now),
        }
    }

    /// Its process is ready for the event.
    pub(crate) fn ready(&self) {
        self.lock().ready = Some(self.begun.elapsed());
    }

    /// For how many microseconds the function has run so far, and how many host calls it made; none before its process was
    /// ready.
    pub(crate) fn so_far(&self) -> Option<(u64, u64)> {
        let now = self.begun.elapsed();
        let noted = self.lock();
        let calls = u64::try_from(noted.calls.len()).unwrap_or(u64::MAX);
        Some((micros(now.saturating_sub(noted.ready?)), calls.saturating_add(noted.left_out)))
    }

    /// The function has ended, and the writes that it did not wait for have not.
    pub(crate) fn ran(&self) {
        self.lock().ran = Some(self.begun.elapsed());
    }

    /// A host call begins.
    pub(crate) fn call(&self, name: &'static str, detail: Option<String>) -> Noting {
        let start = self.begun.elapsed();
        let mut noted = self.lock();
        if noted.calls.len() >= MAX_TRACED_CALLS {
            noted.left_out += 1;
            return Noting(None);
        }
        noted.calls.push(Call { name, detail, start, end: None });
        Noting(Some(noted.calls.len() - 1))
    }

    /// It has its answer.
    pub(crate) fn answered(&self, noting: Noting, reply: &HostReply) {
        let now = self.begun.elapsed();
        let outcome = reply.as_ref().err().map_or("ok", |error| code(error.code));
        let Some(at) = noting.0 else { return };
        if let Some(call) = self.lock().calls.get_mut(at) {
            call.end = Some((now, outcome));
        }
    }

    /// All of it, now that it is over.
    pub(crate) fn told(&self) -> Told {
        let end = self.begun.elapsed();
        let noted = std::mem::take(&mut *self.lock());
        let ran = noted.ran.unwrap_or(end);
        let mut spans = Vec::with_capacity(noted.calls.len() + 5);
        let mut at = Duration::ZERO;
        // What was never reached ends with the stage before it.
        for (name, until) in [("queue", noted.admitted), ("start", noted.started), ("load", noted.ready)] {
            let Some(until) = until else { continue };
            // A process that has the function already is neither started nor loaded for it.
            let name = if name == "load" && noted.started.is_none() { "start" } else { name };
            spans.push(span(name, 0, at, until));
            at = until;
        }
        if noted.admitted.is_none() {
            spans.push(span("queue", 0, at, ran));
        } else if noted.ready.is_some() {
            spans.push(span("run", 0, at, ran));
            spans.extend(noted.calls.into_iter().map(|call| {
                let (until, outcome) = call.end.unwrap_or((ran, "abandoned"));
                Span {
                    outcome: Some(outcome.to_owned()),
                    detail: call.detail,
                    ..span(call.name, 1, call.start, until)
                }
            }));
        }
        if noted.ran.is_some() && end > ran {
            spans.push(span("settle", 0, ran, end));
        }
        Told {
            total_us: micros(end),
            waiting_us: micros(noted.ready.unwrap_or(ran)),
            spans,
            calls_left_out: noted.left_out,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn span(name: &str, depth: u8, start: Duration, end: Duration) -> Span {
    Span {
        name: name.to_owned(),
        depth,
        start_us: micros(start),
        duration_us: micros(end.saturating_sub(start)),
        outcome: None,
        detail: None,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The code as the function sees it.
fn code(code: HostErrorCode) -> &'static str {
    match code {
        HostErrorCode::Denied => "denied",
        HostErrorCode::Expired => "expired",
        HostErrorCode::Invalid => "invalid",
        HostErrorCode::TooLarge => "too_large",
        HostErrorCode::LimitExceeded => "limit_exceeded",
        HostErrorCode::TimedOut => "timed_out",
        HostErrorCode::Unavailable => "unavailable",
        HostErrorCode::Unconfirmed => "unconfirmed",
        _ => "internal",
    }
}

#[cfg(test)]
mod tests {
    use r3e_runner_api::{HostError, HostValue};

    use super::*;

    fn names(told: &Told) -> Vec<(&str, u8)> {
        told.spans.iter().map(|span| (span.name.as_str(), span.depth)).collect()
    }

    #[test]
    fn a_cold_event_passes_every_stage() {
        let course = Course::begin();
        course.passed(Stage::Admitted);
        course.passed(Stage::Started);
        course.ready();
        let first = course.call("store_get", None);
        let second = course.call("fetch", Some("GET a.test".into()));
        course.answered(first, &Ok(HostValue::StoreSet {}));
        course.answered(second, &Err(HostError { code: HostErrorCode::Denied, message: "no".into() }));
        course.call("fetch", None);
        course.ran();
        let told = course.told();
        let expected = [
            ("queue", 0),
            ("start", 0),
            ("load", 0),
            ("run", 0),
            ("store_get", 1),
            ("fetch", 1),
            ("fetch", 1),
        ];
        assert_eq!(names(&told)[..7], expected);
        let outcomes: Vec<_> = told.spans.iter().filter_map(|span| span.outcome.as_deref()).collect();
        assert_eq!(outcomes, ["ok", "denied", "abandoned"]);
        assert_eq!(told.spans[5].detail.as_deref(), Some("GET a.test"));
        // The parts of the first depth follow each other without a gap, and are all of it.
        let mut at = 0;
        for part in told.spans.iter().filter(|part| part.depth == 0) {
            assert!(part.start_us.abs_diff(at) <= 1, "{told:?}");
            at = part.start_us + part.duration_us;
        }
        assert!(told.total_us.abs_diff(at) <= 2 && told.waiting_us <= told.total_us);
    }

    #[test]
    fn what_was_not_reached_is_not_told() {
        assert_eq!(names(&Course::begin().told()), [("queue", 0)]);
        let warm = Course::begin();
        warm.passed(Stage::Admitted);
        warm.ready();
        warm.ran();
        assert_eq!(names(&warm.told())[..3], [("queue", 0), ("start", 0), ("run", 0)]);
        let failed = Course::begin();
        failed.passed(Stage::Admitted);
        failed.passed(Stage::Started);
        assert_eq!(names(&failed.told()), [("queue", 0), ("start", 0)]);
    }

    #[test]
    fn only_so_many_calls_are_recorded() {
        let course = Course::begin();
        course.passed(Stage::Admitted);
        course.ready();
        for _ in 0..MAX_TRACED_CALLS + 3 {
            let noting = course.call("store_get", None);
            course.answered(noting, &Ok(HostValue::StoreSet {}));
        }
        let told = course.told();
        assert_eq!(told.calls_left_out, 3);
        assert_eq!(told.spans.iter().filter(|span| span.depth == 1).count(), MAX_TRACED_CALLS);
    }
}
