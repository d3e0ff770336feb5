//! Decimal numbers of fixed point: what a venue wrote, digit for digit. A price never is a float here.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::limits::{MAX_DIGITS, MAX_EXPONENT, MAX_NUMBER_BYTES, MAX_SCALE};

/// Digits of a factor of a [`Decimal::product_below`]: two of them give a product that fits.
const FACTOR_DIGITS: u32 = 18;

/// Why a text is no number that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// It begins with a sign. No price, volume or time has one.
    #[error("a number has no sign here")]
    Sign,
    /// Not a number as JSON writes them; `NaN` and `Infinity` are none.
    #[error("expected a decimal number, as in 12, 0.5 or 1.2e-7")]
    Form,
    /// More characters, digits, or places behind the point than are kept.
    #[error(
        "the number is too long: at most {MAX_NUMBER_BYTES} characters, {MAX_DIGITS} digits, {MAX_SCALE} of them behind the point"
    )]
    TooLong,
    /// Ten to the power of so much is no price.
    #[error("the number is too large: below 10^{MAX_DIGITS}, with an exponent of at most {MAX_EXPONENT}")]
    TooLarge,
}

/// A number, zero or above when it was read: `mantissa / 10^scale`, in lowest terms, so that equal numbers are equal values.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// `units / 10^decimals`, where that is within the limits.
    pub fn from_units(units: i128, decimals: u32) -> Option<Self> {
        let fits = units.unsigned_abs() < power(MAX_DIGITS)?.unsigned_abs() && decimals <= MAX_SCALE;
        fits.then(|| Self::reduced(units, decimals))
    }

    /// The number in units of `10^-decimals`, a half rounded to the even neighbour. None where that has too many digits.
    pub fn to_units(self, decimals: u32) -> Option<i128> {
        match decimals.checked_sub(self.scale) {
            Some(more) => self.mantissa.checked_mul(power(more)?),
            None => Some(divided(self.mantissa, power(self.scale - decimals)?)),
        }
    }

    /// The whole part of the number times `10^exponent`: what is behind the point is cut off.
    pub(crate) fn whole_times_ten_to(self, exponent: i32) -> Option<i128> {
        // Both are below a hundred.
        match u32::try_from(i64::from(self.scale) - i64::from(exponent)) {
            Ok(behind) => Some(power(behind).map_or(0, |by| self.mantissa / by)),
            Err(_) => self.mantissa.checked_mul(power(exponent.unsigned_abs() - self.scale)?),
        }
    }

    /// Whether it is above zero.
    pub fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// The sum, exactly.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let sum = self.to_units(scale)?.checked_add(other.to_units(scale)?)?;
        Self::from_units(sum, scale)
    }

    /// The difference, exactly. It may be below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { mantissa: other.mantissa.checked_neg()?, ..other })
    }

    /// The product, exactly.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let product = Self::reduced(self.mantissa.checked_mul(other.mantissa)?, self.scale + other.scale);
        Self::from_units(product.mantissa, product.scale)
    }

    /// The product of numbers that are not negative, or a little less: of each factor, 18 digits count. For bounds from below.
    pub fn product_below(self, other: Self) -> Option<Self> {
        let (one, two) = (self.cut(), other.cut());
        let product = Self::reduced(one.mantissa.checked_mul(two.mantissa)?, one.scale + two.scale);
        match product.scale.checked_sub(MAX_SCALE) {
            Some(over) => Some(Self::reduced(product.mantissa / power(over)?, MAX_SCALE)),
            None => Self::from_units(product.mantissa, product.scale),
        }
    }

    /// One divided by it, a half rounded to the even neighbour, with 36 places behind the point or 38 digits. None of zero, and where
    /// fewer than 18 digits would count.
    pub fn reciprocal(self) -> Option<Self> {
        // 1 / (m / 10^s) = 10^s / m = (10^e / m) / 10^(e - s).
        let exponent = MAX_DIGITS.min(MAX_SCALE + self.scale);
        if self.mantissa <= 0 {
            return None;
        }
        let quotient = divided(power(exponent)?, self.mantissa);
        if quotient < power(FACTOR_DIGITS - 1)? {
            return None;
        }
        let Self { mantissa, scale } = Self::reduced(quotient, exponent - self.scale);
        Self::from_units(mantissa, scale)
    }

    /// The number without digits behind its first eighteen.
    fn cut(self) -> Self {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        // Digits before the point must stay: only those behind it can go.
        let over = digits.saturating_sub(FACTOR_DIGITS).min(self.scale);
        match power(over) {
            Some(by) => Self::reduced(self.mantissa / by, self.scale - over),
            None => self,
        }
    }

    /// Without zeros at the end of its fraction.
    fn reduced(mut mantissa: i128, mut scale: u32) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self { mantissa, scale }
    }

    /// What is before the point, and what is behind it, in units of the last place that is kept.
    fn parts(self) -> (i128, i128) {
        let one = power(self.scale).unwrap_or(1);
        let fraction = self.mantissa % one;
        (self.mantissa / one, fraction.saturating_mul(power(MAX_SCALE - self.scale).unwrap_or(1)))
    }
}

/// `10^exponent`, where it fits.
fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// `number / by`, a half rounded to the even neighbour; `by` is above zero.
fn divided(number: i128, by: i128) -> i128 {
    let (quotient, rest) = (number / by, number % by);
    let rest = rest.unsigned_abs();
    let up = match rest.cmp(&(by.unsigned_abs() - rest)) {
        Ordering::Less => false,
        Ordering::Equal => quotient % 2 != 0,
        Ordering::Greater => true,
    };
    if up { quotient + number.signum() } else { quotient }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads a number as JSON writes it (RFC 8259 section 6), without its minus.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        if text.len() > MAX_NUMBER_BYTES {
            return Err(DecimalError::TooLong);
        }
        if text.starts_with(['-', '+']) {
            return Err(DecimalError::Sign);
        }
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(DecimalError::Form),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leads = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leads || !plain(whole) || !plain(fraction) {
            return Err(DecimalError::Form);
        }
        // Zeros at the end say nothing, and must not count for its length.
        let fraction = fraction.trim_end_matches('0');
        let mut mantissa = 0_i128;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let next = mantissa.checked_mul(10).and_then(|tens| tens.checked_add(i128::from(digit - b'0')));
            mantissa = next.ok_or(DecimalError::TooLong)?;
        }
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        // Both are below a hundred.
        let behind = i32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)? - exponent;
        let number = if let Ok(scale) = u32::try_from(behind) {
            Self::reduced(mantissa, scale)
        } else {
            let tens = power(behind.unsigned_abs()).ok_or(DecimalError::TooLarge)?;
            Self { mantissa: mantissa.checked_mul(tens).ok_or(DecimalError::TooLarge)?, scale: 0 }
        };
        let too_long = if number.scale == 0 { DecimalError::TooLarge } else { DecimalError::TooLong };
        Self::from_units(number.mantissa, number.scale).ok_or(too_long)
    }
}

/// What stands behind the `e`.
fn read_exponent(text: &str) -> Result<i32, DecimalError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Form);
    }
    let exponent: i32 = digits.parse().map_err(|_| DecimalError::TooLarge)?;
    if exponent > MAX_EXPONENT {
        return Err(DecimalError::TooLarge);
    }
    Ok(if text.starts_with('-') { -exponent } else { exponent })
}

impl fmt::Display for Decimal {
    /// Without an exponent, and without zeros at the end of the fraction.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let one = power(self.scale).unwrap_or(1).unsigned_abs();
        let magnitude = self.mantissa.unsigned_abs();
        write!(formatter, "{sign}{}", magnitude / one)?;
        if self.scale > 0 {
            let width = usize::try_from(self.scale).unwrap_or_default();
            write!(formatter, ".{:0width$}", magnitude % one)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// From text alone: a reader of JSON or TOML makes a float of a number with a fraction.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
