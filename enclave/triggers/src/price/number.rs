//! Decimal numbers that are compared exactly, whatever their places behind the point: answers of feeds, and bounds.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::{MAX_PLACES, MAX_PRICE_BYTES};

/// `units / 10^places`. As text it keeps its places: `50.10` is not written `50.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Number {
    units: i128,
    places: u32,
}

/// A text that is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a decimal number, as in 12, 0.5 or -3.25, of at most 38 digits, {MAX_PLACES} of them behind the point"
)]
pub(crate) struct NoNumber;

impl Number {
    /// None where it has too many places.
    pub(crate) fn new(units: i128, places: u32) -> Option<Self> {
        (places <= MAX_PLACES).then_some(Self { units, places })
    }

    /// Which is greater.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let places = self.places.max(other.places);
        let sizes = || self.size(places).cmp(&other.size(places));
        match (self.units.signum(), other.units.signum()) {
            (-1, -1) => sizes().reverse(),
            (1, 1) => sizes(),
            (one, two) => one.cmp(&two),
        }
    }

    /// Whether it is another number than `reference`, and by at least `bps` hundredths of a percent of its size. From zero, every other
    /// number is.
    pub(crate) fn differs_by(self, reference: Self, bps: u32) -> bool {
        let places = self.places.max(reference.places);
        let (one, two) = (self.size(places), reference.size(places));
        let apart = if (self.units < 0) == (reference.units < 0) {
            if one < two { two.minus(&one) } else { one.minus(&two) }
        } else {
            one.plus(&two)
        };
        apart != Wide::ZERO && apart.times(ALL_BPS) >= two.times(u64::from(bps))
    }

    /// How far it is from zero, in units of `10^-places`.
    fn size(self, places: u32) -> Wide {
        let size = Wide::from(self.units.unsigned_abs());
        (self.places..places).fold(size, |size, _| size.times(10))
    }
}

/// All of something, in hundredths of a percent.
const ALL_BPS: u64 = 10_000;

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let size = self.units.unsigned_abs();
        let one = 10_u128.pow(self.places);
        if self.places == 0 {
            return write!(formatter, "{sign}{size}");
        }
        let width = self.places as usize;
        write!(formatter, "{sign}{}.{:0width$}", size / one, size % one)
    }
}

impl FromStr for Number {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let (sign, size) = text.strip_prefix('-').map_or(("", text), |size| ("-", size));
        let (whole, behind) = match size.split_once('.') {
            Some((_, "")) => return Err(NoNumber),
            Some(parts) => parts,
            None => (size, ""),
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leads = whole.len() > 1 && whole.starts_with('0');
        if text.len() > MAX_PRICE_BYTES || whole.is_empty() || leads || !is_plain(whole) || !is_plain(behind)
        {
            return Err(NoNumber);
        }
        let units = format!("{sign}{whole}{behind}").parse().map_err(|_| NoNumber)?;
        let places = u32::try_from(behind.len()).map_err(|_| NoNumber)?;
        Self::new(units, places).ok_or(NoNumber)
    }
}

impl TryFrom<String> for Number {
    type Error = NoNumber;

    fn try_from(text: String) -> Result<Self, NoNumber> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

/// A whole number of 320 bits, the lowest 64 of them first. What is compared has at most 280: 128 of a number's units, 120 of the places that
/// it is brought to, 32 of a share. So nothing here overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wide([u64; 5]);

impl Wide {
    const ZERO: Self = Self([0; 5]);

    fn times(mut self, by: u64) -> Self {
        let mut carried = 0;
        for limb in &mut self.0 {
            carried += u128::from(*limb) * u128::from(by);
            *limb = low(carried);
            carried >>= 64;
        }
        self
    }

    fn plus(mut self, other: &Self) -> Self {
        let mut carried = 0;
        for (limb, more) in self.0.iter_mut().zip(other.0) {
            carried += u128::from(*limb) + u128::from(more);
            *limb = low(carried);
            carried >>= 64;
        }
        self
    }

    /// Less a number that is not greater.
    fn minus(mut self, other: &Self) -> Self {
        let mut borrowed = false;
        for (limb, less) in self.0.iter_mut().zip(other.0) {
            let (rest, once) = limb.overflowing_sub(less);
            let (rest, twice) = rest.overflowing_sub(u64::from(borrowed));
            (*limb, borrowed) = (rest, once || twice);
        }
        self
    }
}

impl From<u128> for Wide {
    fn from(number: u128) -> Self {
        Self([low(number), low(number >> 64), 0, 0, 0])
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The lowest 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "what is meant")]
fn low(number: u128) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_is_read_and_written_digit_for_digit() {
        let least = format!("{}.{}", i128::MIN, 0);
        for text in ["0", "50", "50.10", "-3.25", "0.000000000000000000000000000000000001", "-0.5"] {
            assert_eq!(number(text).to_string(), text);
        }
        assert_eq!(number("-0.00").to_string(), "0.00");
        let extremes = [i128::MIN, i128::MAX].map(|units| Number::new(units, MAX_PLACES).unwrap());
        for extreme in extremes {
            assert_eq!(number(&extreme.to_string()), extreme);
        }
        for wrong in [
            "",
            "-",
            ".5",
            "5.",
            "05",
            "+5",
            "5e1",
            "1_0",
            " 5",
            "5,0",
            "--5",
            "NaN",
            "٣",
            &least,
            &"9".repeat(39),
            "0.0000000000000000000000000000000000001",
        ] {
            assert_eq!(wrong.parse::<Number>(), Err(NoNumber), "{wrong}");
        }
        assert_eq!(Number::new(1, MAX_PLACES + 1), None);
    }

    #[test]
    fn numbers_of_other_places_are_compared_exactly() {
        let order = |one: &str, two: &str| number(one).compare(number(two));
        assert_eq!(order("50", "50.000"), Ordering::Equal);
        assert_eq!(order("50.00000001", "50"), Ordering::Greater);
        assert_eq!(order("50.00000000", "50.000000000000000000000000000000000001"), Ordering::Less);
        assert_eq!(order("-1", "-0.9"), Ordering::Less);
        assert_eq!(order("-0.1", "0"), Ordering::Less);
        assert_eq!(order("0.0", "-0"), Ordering::Equal);
        let [least, most] = [i128::MIN, i128::MAX].map(|units| Number::new(units, 0).unwrap());
        let tiny = Number::new(1, MAX_PLACES).unwrap();
        assert_eq!(least.compare(most), Ordering::Less);
        assert_eq!(most.compare(tiny), Ordering::Greater);
        assert!(least.differs_by(most, 20_000) && !least.differs_by(most, 20_001));
        assert!(most.differs_by(tiny, u32::MAX));
        assert!(!tiny.differs_by(most, 10_001), "a fall is of less than all of it");
    }

    #[test]
    fn a_change_is_measured_from_the_reference() {
        let differs = |one: &str, from: &str, bps| number(one).differs_by(number(from), bps);
        assert!(differs("105", "100", 500) && differs("95.00", "100", 500));
        assert!(!differs("104.99999999", "100", 500) && !differs("95.00000001", "100.0", 500));
        assert!(differs("0.00000001", "0", 1_000_000) && !differs("0.00", "0", 1));
        assert!(differs("-105", "-100", 500) && differs("-95", "-100", 500) && !differs("-104", "-100", 500));
        assert!(differs("1", "-1", 20_000) && !differs("1", "-1", 20_001));
    }

    proptest! {
        #[test]
        fn small_numbers_compare_as_integers_do(one in -99_999i64..99_999, two in -99_999i64..99_999,
            (places, others) in (0u32..5, 0u32..5), bps in 1u32..30_000) {
            let scaled = |units: i64, places: u32| i128::from(units) * 10_i128.pow(4 - places.min(4));
            let (a, b) = (scaled(one, places), scaled(two, others));
            let (x, y) = (Number::new(i128::from(one), places).unwrap(), Number::new(i128::from(two), others).unwrap());
            prop_assert_eq!(x.compare(y), a.cmp(&b));
            prop_assert_eq!(x.differs_by(y, bps), a != b && (a - b).abs() * 10_000 >= i128::from(bps) * b.abs());
            prop_assert_eq!(x.to_string().parse::<Number>().unwrap(), x);
        }
    }
}
