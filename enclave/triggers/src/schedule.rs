//! Schedules: the ticks of a cron pattern in a time zone. Knows nothing of triggers, and no clock.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::limits::{MAX_JITTER_MS, MAX_SCHEDULE_BYTES, MAX_ZONE_BYTES, MIN_PERIOD_MS, PERIODS_LOOKED_AT};

const SECOND_MS: u64 = 1_000;

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    jitter_ms: u64,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotASchedule {
    /// It is no pattern.
    #[error("the schedule {pattern:?} is none: {why}")]
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong.
        why: String,
    },
    /// It is longer than one may be.
    #[error("a schedule has at most {MAX_SCHEDULE_BYTES} bytes of ASCII")]
    TooLong,
    /// There is no such time zone.
    #[error("there is no time zone {0:?}; it is a name such as Europe/Berlin, or UTC")]
    Zone(String),
    /// Two ticks are too close.
    #[error(
        "two ticks of the schedule are {period_ms} ms apart; they must be {MIN_PERIOD_MS} ms apart at the least"
    )]
    TooOften {
        /// The least that there is between two.
        period_ms: u64,
    },
    /// It has no tick.
    #[error("the schedule never comes")]
    Never,
    /// The jitter is too long.
    #[error("jitter_ms is at most {most_ms} here: half of the shortest time between two ticks, and an hour")]
    Jitter {
        /// The most that it may be.
        most_ms: u64,
    },
}

/// A tick, and when it fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The tick, Unix milliseconds.
    pub tick_ms: u64,
    /// When it fires: the tick, put off by its jitter.
    pub fires_ms: u64,
}

impl Schedule {
    /// Reads a pattern of five fields, or of six with seconds first.
    ///
    /// # Errors
    /// [`NotASchedule::Pattern`], [`NotASchedule::TooLong`], [`NotASchedule::Zone`].
    pub fn read(pattern: &str, time_zone: &str, jitter_ms: u64) -> Result<Self, NotASchedule> {
        if pattern.len() > MAX_SCHEDULE_BYTES || !pattern.is_ascii() {
            return Err(NotASchedule::TooLong);
        }
        let wrong = |why: String| NotASchedule::Pattern { pattern: pattern.to_owned(), why };
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(pattern).map_err(|error| wrong(error.to_string()))?;
        if let Some(field) = empty_field(&cron) {
            return Err(wrong(format!("its field of {field} names none")));
        }
        let no_zone = || NotASchedule::Zone(time_zone.chars().take(MAX_ZONE_BYTES).collect());
        if time_zone.len() > MAX_ZONE_BYTES {
            return Err(no_zone());
        }
        let zone = TimeZoneDatabase::bundled().get(time_zone).map_err(|_| no_zone())?;
        Ok(Self { cron, zone, jitter_ms })
    }

    /// The same, of one that is new: its ticks from `now_ms` on are tried out.
    ///
    /// # Errors
    /// [`NotASchedule`].
    pub fn parse(pattern: &str, time_zone: &str, jitter_ms: u64, now_ms: u64) -> Result<Self, NotASchedule> {
        let schedule = Self::read(pattern, time_zone, jitter_ms)?;
        let period_ms = schedule.shortest_period(now_ms)?;
        if period_ms < MIN_PERIOD_MS {
            return Err(NotASchedule::TooOften { period_ms });
        }
        let most_ms = MAX_JITTER_MS.min(period_ms / 2);
        if jitter_ms > most_ms {
            return Err(NotASchedule::Jitter { most_ms });
        }
        Ok(schedule)
    }

    /// The last tick at or before `at_ms`.
    pub fn last(&self, at_ms: u64) -> Option<u64> {
        let found = self.cron.find_previous_occurrence(&self.zoned(at_ms)?, true).ok()?;
        milliseconds(&found).filter(|tick| *tick <= at_ms)
    }

    /// The first tick after `after_ms`.
    pub fn next(&self, after_ms: u64) -> Option<u64> {
        let found = self.cron.find_next_occurrence(&self.zoned(after_ms)?, false).ok()?;
        milliseconds(&found).filter(|tick| *tick > after_ms)
    }

    /// The tick that is due at `now_ms`, if any is that came after `since_ms`: the last one, where several are. `whose` makes
    /// jitters of different triggers differ.
    pub fn due(&self, whose: &[u8], since_ms: u64, now_ms: u64) -> Option<Tick> {
        let mut at_ms = now_ms;
        // Jitter is at most half of what is between two ticks: the last one may be put off still, and the one before is not.
        for _ in 0..2 {
            let tick = self.last(at_ms).map(|tick_ms| self.put_off(whose, tick_ms))?;
            if tick.tick_ms <= since_ms {
                return None;
            }
            if tick.fires_ms <= now_ms {
                return Some(tick);
            }
            at_ms = tick.tick_ms.checked_sub(SECOND_MS)?;
        }
        None
    }

    /// The first tick that fires after `now_ms`.
    pub fn coming(&self, whose: &[u8], now_ms: u64) -> Option<Tick> {
        let last = self.last(now_ms).map(|tick_ms| self.put_off(whose, tick_ms));
        let put_off = last.filter(|tick| tick.fires_ms > now_ms);
        put_off.or_else(|| self.next(now_ms).map(|tick_ms| self.put_off(whose, tick_ms)))
    }

    /// The same tick is always put off by as much.
    fn put_off(&self, whose: &[u8], tick_ms: u64) -> Tick {
        let digest = Sha256::new().chain_update(whose).chain_update(tick_ms.to_be_bytes()).finalize();
        let drawn = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        Tick { tick_ms, fires_ms: tick_ms.saturating_add(drawn % self.jitter_ms.saturating_add(1)) }
    }

    fn shortest_period(&self, now_ms: u64) -> Result<u64, NotASchedule> {
        let mut last = self.next(now_ms).ok_or(NotASchedule::Never)?;
        let mut shortest = u64::MAX;
        for _ in 0..PERIODS_LOOKED_AT {
            let Some(next) = self.next(last) else { break };
            shortest = shortest.min(next - last);
            last = next;
        }
        Ok(shortest)
    }

    fn zoned(&self, at_ms: u64) -> Option<Zoned> {
        let seconds = i64::try_from(at_ms / SECOND_MS).ok()?;
        Some(Timestamp::from_second(seconds).ok()?.to_zoned(self.zone.clone()))
    }
}

/// A field that matches nothing, which the parser lets be: a comma alone. Whoever asked for its next tick would go through each minute of
/// three thousand years.
fn empty_field(cron: &Cron) -> Option<&'static str> {
    let of = &cron.pattern;
    let fields = [
        ("seconds", &of.seconds),
        ("minutes", &of.minutes),
        ("hours", &of.hours),
        ("days", &of.days),
        ("months", &of.months),
        ("days of the week", &of.days_of_week),
    ];
    let empty = fields.into_iter().find(|(_, field)| field.values().is_empty() && !field.has_modifiers());
    empty.map(|(name, _)| name)
}

/// A time as RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(at_ms: u64) -> String {
    let milliseconds = i64::try_from(at_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).map(|at| at.to_string()).unwrap_or_default()
}

fn milliseconds(at: &Zoned) -> Option<u64> {
    u64::try_from(at.timestamp().as_second()).ok()?.checked_mul(SECOND_MS)
}

#[cfg(test)]
mod tests;
