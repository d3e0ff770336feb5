//! What a definition must be, and what is made of it once: its ticks and its expressions.

use r3e_jobs::limits::KEEP_MS;
use r3e_proto::api::is_name;
use r3e_proto::api::triggers::{Auth, Definition, Hmac, Http, SentKey, Source};
use r3e_proto::api::versions::Reference;
use serde_json::Value as Json;

use crate::error::TriggersError;
use crate::expression::{Expression, Failed};
use crate::limits::{MAX_HEADER_NAME_BYTES, MAX_HEADERS, PER_MINUTE, TOLERANCE_S};
use crate::price::Condition;
use crate::record::Record;
use crate::schedule::Schedule;

/// A trigger's record, with all that was made of it.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) record: Record,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) condition: Option<Condition>,
    filter: Option<Expression>,
    transform: Option<Expression>,
}

/// What filter and transform make of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// What the function is given, JSON text.
    Event(String),
    /// Nothing: the filter is not true.
    Filtered,
    /// Nothing: one of them failed.
    Failed(String),
}

impl Shape {
    /// Checks a record's definition, and where it is new, tries its ticks out from `new_at_ms` on.
    ///
    /// # Errors
    /// [`TriggersError::Invalid`]: what breaks which rule.
    pub(crate) fn of(record: Record, new_at_ms: Option<u64>) -> Result<Self, TriggersError> {
        let definition = &record.definition;
        check(definition)?;
        let schedule = match &definition.source {
            Source::Cron(cron) => {
                let (pattern, zone, jitter_ms) = (&cron.schedule, &cron.time_zone, cron.jitter_ms);
                let schedule = match new_at_ms {
                    Some(now_ms) => Schedule::parse(pattern, zone, jitter_ms, now_ms),
                    None => Schedule::read(pattern, zone, jitter_ms),
                };
                Some(schedule.map_err(|error| invalid(error.to_string()))?)
            }
            _ => None,
        };
        let condition = match &definition.source {
            Source::Price(price) => Some(Condition::read(&price.crossing)?),
            _ => None,
        };
        let filter = expression("filter", definition.filter.as_deref())?;
        let transform = expression("transform", definition.transform.as_deref())?;
        Ok(Self { record, schedule, condition, filter, transform })
    }

    /// A record of another release, which this one cannot make anything of: it is shown, and fires nothing.
    pub(crate) fn broken(record: Record) -> Self {
        let record = Record { paused: true, ..record };
        Self { record, schedule: None, condition: None, filter: None, transform: None }
    }

    /// What the function is given for an event, JSON text.
    pub(crate) fn apply(&self, event: String) -> Applied {
        if self.filter.is_none() && self.transform.is_none() {
            return Applied::Event(event);
        }
        let json: Json = match serde_json::from_str(&event) {
            Ok(json) => json,
            Err(error) => return Applied::Failed(format!("the event cannot be read: {error}")),
        };
        let failed = |what: &str, error: &Failed| Applied::Failed(format!("the {what} failed: {error}"));
        match self.filter.as_ref().map(|filter| filter.holds(&json)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return Applied::Filtered,
            Some(Err(error)) => return failed("filter", &error),
        }
        match self.transform.as_ref().map(|transform| transform.json(&json)) {
            None => Applied::Event(event),
            Some(Ok(text)) => Applied::Event(text),
            Some(Err(error)) => failed("transform", &error),
        }
    }
}

fn check(definition: &Definition) -> Result<(), TriggersError> {
    let Definition { function, source, policy, keep_ms, declared_by, made_by, .. } = definition;
    if Reference::parse(function).is_none() {
        return Err(invalid(format!("{function:?} is no function: NAME, NAME@ALIAS or NAME@VERSION")));
    }
    if keep_ms.is_some_and(|keep_ms| !KEEP_MS.contains(&keep_ms)) {
        return Err(invalid(format!("keep_ms is {} to {}", KEEP_MS.start(), KEEP_MS.end())));
    }
    if declared_by.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(invalid("declared_by is a function's name".to_owned()));
    }
    if made_by.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(invalid("made_by is a function's name".to_owned()));
    }
    r3e_jobs::checked_policy(policy.clone())?;
    match source {
        Source::Http(http) => check_http(http),
        Source::Event(topic) if !is_name(&topic.topic) => Err(invalid(
            "a topic has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`, the first one not `-` or `.`".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn check_http(http: &Http) -> Result<(), TriggersError> {
    let Http { auth, headers, per_minute, respond: _ } = http;
    if headers.len() > MAX_HEADERS {
        return Err(invalid(format!("at most {MAX_HEADERS} headers")));
    }
    if !PER_MINUTE.contains(per_minute) {
        return Err(invalid(format!("per_minute is {} to {}", PER_MINUTE.start(), PER_MINUTE.end())));
    }
    let (secret, header) = match auth {
        Auth::None => (None, None),
        Auth::Hmac(Hmac { secret, header, tolerance_s, scheme: _ }) => {
            if !TOLERANCE_S.contains(tolerance_s) {
                return Err(invalid(format!(
                    "tolerance_s is {} to {}",
                    TOLERANCE_S.start(),
                    TOLERANCE_S.end()
                )));
            }
            (Some(secret), header.as_ref())
        }
        Auth::ApiKey(SentKey { secret, header }) => (Some(secret), header.as_ref()),
    };
    if secret.is_some_and(|secret| !is_name(secret)) {
        return Err(invalid("a secret's name has 1 to 64 of A-Z a-z 0-9 `-` `_` `.`".to_owned()));
    }
    match headers.iter().chain(header).find(|name| !is_header(name)) {
        Some(name) => Err(invalid(format!(
            "{name:?} is no header's name: 1 to {MAX_HEADER_NAME_BYTES} of a-z 0-9 `-` `_`, in lower case"
        ))),
        None => Ok(()),
    }
}

fn is_header(name: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=MAX_HEADER_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn expression(what: &str, source: Option<&str>) -> Result<Option<Expression>, TriggersError> {
    let read = |source| Expression::parse(source).map_err(|error| invalid(format!("the {what}, {error}")));
    source.map(read).transpose()
}

fn invalid(what: String) -> TriggersError {
    TriggersError::Invalid(what)
}
