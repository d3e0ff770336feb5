//! Triggers: what makes a tenant's functions run by themselves.

mod price;

use serde::{Deserialize, Serialize};

use super::jobs::{JobId, RetryPolicy};
pub use price::{Crossing, NotOneCrossing, Price, PriceProgress};

/// What a trigger is: the body of `PUT /v1/triggers/{name}`.
///
/// Exactly one of `cron`, `http`, `event`, `chain` and `price` says what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Definition {
    /// What it invokes: `NAME`, `NAME@ALIAS` or `NAME@VERSION`, looked up when an attempt begins.
    pub function: String,
    /// What it waits for.
    pub source: Source,
    /// An expression over `event`; the function is invoked where it is true. Always, where there is none.
    pub filter: Option<String>,
    /// An expression over `event`, whose value the function is given instead.
    pub transform: Option<String>,
    /// When its jobs are tried again.
    pub policy: RetryPolicy,
    /// How long its jobs are kept once they have ended; a day where it is absent.
    pub keep_ms: Option<u64>,
    /// The project whose `r3e.toml` declares it, which removes it when it declares it no more.
    pub declared_by: Option<String>,
    /// The function that made it, by `r3e.trigger`, and may change and delete it. Only the appliance says so: what a tenant sets is the tenant's.
    pub made_by: Option<String>,
}

/// What a trigger waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Ticks of a schedule.
    Cron(Cron),
    /// Requests to a public route of its own.
    Http(Http),
    /// Events of a topic of the tenant's.
    Event(Topic),
    /// Events of a contract, or blocks, of a network.
    Chain(Chain),
    /// Reports of one of the tenant's feeds.
    Price(Price),
}

impl Source {
    /// The one of them that is there.
    ///
    /// # Errors
    /// [`NotOneSource`].
    pub fn one_of(
        cron: Option<Cron>,
        http: Option<Http>,
        event: Option<Topic>,
        chain: Option<Chain>,
        price: Option<Price>,
    ) -> Result<Self, NotOneSource> {
        let all = [
            cron.map(Self::Cron),
            http.map(Self::Http),
            event.map(Self::Event),
            chain.map(Self::Chain),
            price.map(Self::Price),
        ];
        let mut there = all.into_iter().flatten();
        match (there.next(), there.next()) {
            (Some(source), None) => Ok(source),
            _ => Err(NotOneSource),
        }
    }

    /// As the API writes it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Cron(_) => "cron",
            Self::Http(_) => "http",
            Self::Event(_) => "event",
            Self::Chain(_) => "chain",
            Self::Price(_) => "price",
        }
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// Five fields (minute, hour, day of the month, month, day of the week), or six, the first of which are seconds.
    pub schedule: String,
    /// An IANA time zone.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What becomes of ticks that passed while the appliance did not run.
    #[serde(default)]
    pub missed: Missed,
    /// Each tick fires so much later at the most, by a time drawn for the trigger and the tick.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub jitter_ms: u64,
}

fn utc() -> String {
    "UTC".to_owned()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What becomes of ticks that passed while the appliance did not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// They are left out.
    #[default]
    Skip,
    /// The last of them fires, once.
    Once,
}

/// A public route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Who may ask.
    pub auth: Auth,
    /// Header fields of the request that the event has, by their names in lower case. Of others it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Requests that it takes in a minute.
    #[serde(default = "default_rate")]
    pub per_minute: u32,
    /// What a request that is taken is answered with.
    #[serde(default, skip_serializing_if = "Respond::is_default")]
    pub respond: Respond,
}

/// What a request that is taken is answered with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Respond {
    /// That its job is queued, at once.
    #[default]
    Queued,
    /// The job's result, where it ends soon.
    Result,
}

impl Respond {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
    fn is_default(&self) -> bool {
        *self == Self::Queued
    }
}

fn default_rate() -> u32 {
    DEFAULT_PER_MINUTE
}

/// Requests that a public route takes in a minute, unless its trigger says otherwise.
pub const DEFAULT_PER_MINUTE: u32 = 60;
/// How far the time of a signature may be from the appliance's, unless the trigger says otherwise.
pub const DEFAULT_TOLERANCE_S: u32 = 300;

/// Who may use a public route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Whoever knows its address.
    None,
    /// Who signs with a secret.
    Hmac(Hmac),
    /// Who sends a secret.
    ApiKey(SentKey),
}

/// HMAC-SHA-256 over a time and the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// The tenant's secret that has the key; it must be granted to the function.
    pub secret: String,
    /// How it is signed.
    pub scheme: Scheme,
    /// How far the time may be from the appliance's.
    #[serde(default = "default_tolerance")]
    pub tolerance_s: u32,
    /// The header with the signature, where the scheme leaves it open; `r3e-signature` where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

fn default_tolerance() -> u32 {
    DEFAULT_TOLERANCE_S
}

/// A form of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,BASE64` over `ID.TIME.BODY`.
    Standard,
    /// One header, `t=TIME,v1=HEX`, over `TIME.BODY`.
    Timestamped,
}

/// A secret that is sent with each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentKey {
    /// The tenant's secret that it must be; it must be granted to the function.
    pub secret: String,
    /// The header that it comes in; `x-api-key` where it is absent. In `authorization` it stands behind `Bearer `.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name.
    pub topic: String,
}

/// Events of a contract on a network, or the network's blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The network, as CAIP-2 names it: `eip155:CHAIN_ID` or `neo-n3:MAGIC`.
    pub network: String,
    /// The contract, `0x` and 40 hex digits. Without it and without `event`, each block is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The event: of Ethereum its declaration, of Neo its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Blocks that must stand above one before it counts. Where it is absent, [`DEFAULT_EVM_CONFIRMATIONS`] of Ethereum and of chains
    /// like it, and none of Neo N3, whose blocks are final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<u32>,
    /// The block to begin with; where it is absent, the one that comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_block: Option<u64>,
    /// What becomes of it where the chain is reorganised below what counted.
    #[serde(default, skip_serializing_if = "Reorganised::is_default")]
    pub reorganised: Reorganised,
}

/// Blocks that must stand above one of Ethereum, or of a chain like it, unless the trigger says otherwise.
pub const DEFAULT_EVM_CONFIRMATIONS: u32 = 12;

/// What becomes of a trigger where the chain is reorganised below what counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reorganised {
    /// It stops, until it is resumed.
    #[default]
    Stop,
    /// It goes on behind the newest block that still stands: what happened again fires again.
    Follow,
}

impl Reorganised {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
    fn is_default(&self) -> bool {
        *self == Self::Stop
    }
}

/// A definition as JSON and TOML have it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    function: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cron: Option<Cron>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<Topic>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transform: Option<String>,
    #[serde(default)]
    policy: RetryPolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declared_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_by: Option<String>,
}

/// A definition that waits for nothing, or for more than one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trigger has exactly one of `cron`, `http`, `event`, `chain` and `price`")]
pub struct NotOneSource;

impl TryFrom<Written> for Definition {
    type Error = NotOneSource;

    fn try_from(written: Written) -> Result<Self, NotOneSource> {
        let Written {
            function,
            cron,
            http,
            event,
            chain,
            price,
            filter,
            transform,
            policy,
            keep_ms,
            declared_by,
            made_by,
        } = written;
        let source = Source::one_of(cron, http, event, chain, price)?;
        Ok(Self { function, source, filter, transform, policy, keep_ms, declared_by, made_by })
    }
}

impl From<Definition> for Written {
    fn from(definition: Definition) -> Self {
        let Definition { function, source, filter, transform, policy, keep_ms, declared_by, made_by } =
            definition;
        let (mut cron, mut http, mut event, mut chain, mut price) = (None, None, None, None, None);
        match source {
            Source::Cron(it) => cron = Some(it),
            Source::Http(it) => http = Some(it),
            Source::Event(it) => event = Some(it),
            Source::Chain(it) => chain = Some(it),
            Source::Price(it) => price = Some(it),
        }
        Self {
            function,
            cron,
            http,
            event,
            chain,
            price,
            filter,
            transform,
            policy,
            keep_ms,
            declared_by,
            made_by,
        }
    }
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// What it is.
    pub definition: Definition,
    /// Whether it fires nothing until it is resumed.
    pub paused: bool,
    /// The path of its public route, where it has one. Whoever knows it may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// The next tick, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_ms: Option<u64>,
    /// Of a chain, how far it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainProgress>,
    /// Of a price, how far its feed's reports were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceProgress>,
    /// When it was made, by the appliance's clock.
    pub created_at_ms: u64,
    /// When its definition changed last.
    pub changed_at_ms: u64,
    /// Jobs that it queued, in all its life.
    pub fired: u64,
    /// What it let pass since the appliance booted.
    pub passed: Passed,
}

/// How far a chain was read for a trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainProgress {
    /// The first block that was not read to its end; absent before the chain was asked at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_block: Option<u64>,
    /// Why it reads no further until it is resumed, given another chain, or told to follow reorganisations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Why it could not read the last time it tried. It tries again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What a trigger did not fire for, since the appliance booted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// The filter was not true.
    pub filtered: u64,
    /// The filter or the transform failed.
    pub failed: u64,
    /// A request's signature or key did not hold.
    pub refused: u64,
    /// More came than it takes.
    pub limited: u64,
}

/// One of the last times that a trigger fired, or should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fire {
    /// When, by the appliance's clock.
    pub at_ms: u64,
    /// Of a schedule, the tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_ms: Option<u64>,
    /// What it came to.
    pub outcome: FireOutcome,
}

/// What a time that a trigger fired came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FireOutcome {
    /// A job.
    Job(JobId),
    /// The filter was not true. Of a schedule alone: elsewhere it is counted.
    Filtered,
    /// No job: why.
    Failed(String),
}

/// A trigger was fired by hand, by a request, or for an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// The trigger.
    pub trigger: String,
    /// The job; absent where the filter was not true, or it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Whether the job is an earlier message's, which came again.
    #[serde(default)]
    pub repeated: bool,
    /// Whether there is no job because something failed: the filter, the transform, or taking the job in.
    #[serde(default)]
    pub failed: bool,
    /// Why there is no job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An event was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// What became of it, for each trigger of the topic.
    pub fired: Vec<Fired>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_exactly_one_source() {
        let read = |text: &str| serde_json::from_str::<Definition>(text);
        let daily = read(r#"{"function":"f","cron":{"schedule":"0 7 * * *"}}"#).unwrap();
        let Source::Cron(cron) = &daily.source else { panic!("{daily:?}") };
        assert_eq!((cron.time_zone.as_str(), cron.missed, cron.jitter_ms), ("UTC", Missed::Skip, 0));
        let text = serde_json::to_string(&daily).unwrap();
        assert_eq!(read(&text).unwrap(), daily);
        for wrong in [
            r#"{"function":"f"}"#,
            r#"{"function":"f","cron":{"schedule":"* * * * *"},"event":{"topic":"t"}}"#,
            r#"{"function":"f","event":{"topic":"t"},"price":{}}"#,
            r#"{"function":"f","http":{}}"#,
            r#"{"function":"f","chain":{}}"#,
            r#"{"function":"f","chain":{"network":"eip155:1"},"event":{"topic":"t"}}"#,
            r#"{"function":"f","price":{"feed":"f","above":"1"},"event":{"topic":"t"}}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for auth in [
            r#""none""#,
            r#"{"hmac":{"secret":"S","scheme":"standard"}}"#,
            r#"{"hmac":{"secret":"S","scheme":"timestamped","header":"stripe-signature","tolerance_s":60}}"#,
            r#"{"api_key":{"secret":"S"}}"#,
        ] {
            let text = format!(r#"{{"function":"f","http":{{"auth":{auth}}}}}"#);
            let hook = read(&text).unwrap();
            assert_eq!(read(&serde_json::to_string(&hook).unwrap()).unwrap(), hook, "{auth}");
        }
        let blocks =
            read(r#"{"function":"f","chain":{"network":"neo-n3:42","reorganised":"follow"}}"#).unwrap();
        assert_eq!(read(&serde_json::to_string(&blocks).unwrap()).unwrap(), blocks);
    }
}
