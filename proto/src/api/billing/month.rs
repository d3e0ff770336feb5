//! Calendar months, in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// The last year that has a text of four digits.
const LAST_YEAR: u16 = 9_999;

/// A month from 1970-01 to 9999-12, UTC. Its text is `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: u16,
    /// From 1.
    month: u8,
}

/// What a text is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a month is YYYY-MM, from 1970-01 to 9999-12")]
pub struct MonthError;

impl Month {
    /// The first one there is.
    pub const FIRST: Self = Self { year: 1970, month: 1 };
    /// The last one there is.
    pub const LAST: Self = Self { year: LAST_YEAR, month: 12 };

    /// The month of a moment, in milliseconds since the Unix epoch; the last one for all that is later.
    pub fn of(unix_ms: u64) -> Self {
        let (mut day, mut year) = (unix_ms / DAY_MS, Self::FIRST.year);
        // 400 years have 146,097 days.
        let cycles = u16::try_from(day / 146_097).unwrap_or(u16::MAX);
        year = year.saturating_add(cycles.saturating_mul(400));
        day %= 146_097;
        while year <= LAST_YEAR && day >= days_of_year(year) {
            day -= days_of_year(year);
            year += 1;
        }
        if year > LAST_YEAR {
            return Self::LAST;
        }
        let mut month = 1;
        while month < 12 && day >= days_of_month(year, month) {
            day -= days_of_month(year, month);
            month += 1;
        }
        Self { year, month }
    }

    /// The month after; the last one stays.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self { year: LAST_YEAR, month: 12 } => self,
            Self { year, month: 12 } => Self { year: year + 1, month: 1 },
            Self { year, month } => Self { year, month: month + 1 },
        }
    }

    /// So many months later, or the last one.
    #[must_use]
    pub fn plus(self, months: u16) -> Self {
        (0..months).fold(self, |month, _| month.next())
    }

    /// So many months earlier, or the first one.
    #[must_use]
    pub fn minus(self, months: u16) -> Self {
        (0..months).fold(self, |month, _| match month {
            Self { year: 1970, month: 1 } => month,
            Self { year, month: 1 } => Self { year: year - 1, month: 12 },
            Self { year, month } => Self { year, month: month - 1 },
        })
    }

    /// When it begins, in milliseconds since the Unix epoch.
    pub fn begins_ms(self) -> u64 {
        let years: u64 = (Self::FIRST.year..self.year).map(days_of_year).sum();
        let months: u64 = (1..self.month).map(|month| days_of_month(self.year, month)).sum();
        (years + months) * DAY_MS
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u16, month: u8) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let (year, month) = text.split_once('-').ok_or(MonthError)?;
        let digits = |part: &str, len| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(MonthError);
        }
        let year = year.parse().map_err(|_| MonthError)?;
        let month = month.parse().map_err(|_| MonthError)?;
        if year < Self::FIRST.year || !(1..=12).contains(&month) {
            return Err(MonthError);
        }
        Ok(Self { year, month })
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-21T13:50:00Z and others, from `date -u -d`.
    #[test]
    fn months_of_known_moments() {
        for (seconds, month) in [
            (0, "1970-01"),
            (951_782_399, "2000-02"),
            (951_782_400, "2000-02"),
            (951_868_800, "2000-03"),
            (1_709_164_800, "2024-02"),
            (1_709_251_200, "2024-03"),
            (1_795_269_000, "2026-11"),
            (4_107_542_399, "2100-02"),
            (4_107_542_400, "2100-03"),
            (253_402_300_799, "9999-12"),
            (253_402_300_800, "9999-12"),
            (u64::MAX / 1_000, "9999-12"),
        ] {
            assert_eq!(Month::of(seconds * 1_000).to_string(), month, "{seconds}");
        }
    }

    #[test]
    fn the_border_of_two_months_is_midnight() {
        let december: Month = "2026-12".parse().unwrap();
        let begins = december.begins_ms();
        assert_eq!(begins, 1_796_083_200_000);
        assert_eq!(Month::of(begins), december);
        assert_eq!(Month::of(begins - 1).to_string(), "2026-11");
        assert_eq!(december.next().to_string(), "2027-01");
        assert_eq!(december.minus(12).to_string(), "2025-12");
        assert_eq!(Month::LAST.plus(3), Month::LAST);
        assert_eq!(Month::FIRST.minus(3), Month::FIRST);
    }

    #[test]
    fn only_a_months_text_parses() {
        for wrong in [
            "",
            "2026",
            "2026-1",
            "2026-13",
            "2026-00",
            "1969-12",
            "26-11",
            "2026-11-01",
            "+026-11",
            "２026-11",
        ] {
            assert_eq!(wrong.parse::<Month>(), Err(MonthError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_month(unix_ms in 0..253_402_300_800_000u64) {
            let month = Month::of(unix_ms);
            prop_assert!(month.begins_ms() <= unix_ms);
            prop_assert!(month == Month::LAST || unix_ms < month.next().begins_ms());
            prop_assert_eq!(month.to_string().parse::<Month>(), Ok(month));
        }
    }
}
