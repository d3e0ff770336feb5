//! Money: whole numbers of a currency's smallest unit, checked, as decimal text in JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use thiserror::Error;

use crate::limits::MAX_AMOUNT;

/// An amount of money, at most [`MAX_AMOUNT`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

/// By how much an account changes: at most [`MAX_AMOUNT`] either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change(i128);

/// What a text or a number is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an amount is a whole number of the smallest unit, decimal digits alone, at most 10^30")]
pub struct AmountError;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of so many smallest units.
    ///
    /// # Errors
    /// [`AmountError`] over [`MAX_AMOUNT`].
    pub fn new(units: u128) -> Result<Self, AmountError> {
        if units <= MAX_AMOUNT { Ok(Self(units)) } else { Err(AmountError) }
    }

    /// How many smallest units.
    pub fn units(self) -> u128 {
        self.0
    }

    /// Both together, if that is an amount.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        // Neither is over 10^30.
        Self::new(self.0 + other.0).ok()
    }

    /// What is left, if there is as much.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// What is left; nothing where there is less.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The same after `change`, if that is an amount.
    pub fn changed(self, change: Change) -> Option<Self> {
        let units = i128::try_from(self.0).ok()?.checked_add(change.0)?;
        Self::new(u128::try_from(units).ok()?).ok()
    }

    /// More by this.
    pub fn plus(self) -> Change {
        // At most 10^30, far below 2^127.
        Change(i128::try_from(self.0).unwrap_or(i128::MAX))
    }

    /// Less by this.
    pub fn less(self) -> Change {
        Change(-self.plus().0)
    }

    /// The amount in whole units with `decimals` decimals, for a person: `1234` with 2 decimals is `12.34`.
    pub fn shown(self, decimals: u8) -> String {
        let decimals = usize::from(decimals);
        let digits = format!("{:0>width$}", self.0, width = decimals + 1);
        match digits.split_at_checked(digits.len() - decimals) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{whole}.{fraction}"),
            _ => digits,
        }
    }
}

impl Change {
    /// In smallest units.
    pub fn units(self) -> i128 {
        self.0
    }

    /// How much, whichever way.
    pub fn size(self) -> Amount {
        Amount(self.0.unsigned_abs())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// One text for one amount: no sign, no leading zero, nothing but digits.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || (text.len() > 1 && text.starts_with('0')) {
            return Err(AmountError);
        }
        Self::new(text.parse().map_err(|_| AmountError)?)
    }
}

impl FromStr for Change {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        match text.strip_prefix('-') {
            None => Ok(text.parse::<Amount>()?.plus()),
            // Zero has one text.
            Some(digits) => match digits.parse::<Amount>()? {
                Amount::ZERO => Err(AmountError),
                amount => Ok(amount.less()),
            },
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_one_text_and_a_limit() {
        let most = MAX_AMOUNT.to_string();
        for right in ["0", "7", "1000000000000000000", &most] {
            let amount: Amount = right.parse().unwrap();
            assert_eq!(amount.to_string(), right);
            assert_eq!(serde_json::from_str::<Amount>(&format!("\"{right}\"")).unwrap(), amount);
        }
        let over = (MAX_AMOUNT + 1).to_string();
        for wrong in
            ["", "-1", "+1", "01", "00", "1.0", "1e3", " 1", "1 ", "0x1", "１", &over, &"9".repeat(60)]
        {
            assert_eq!(wrong.parse::<Amount>(), Err(AmountError), "{wrong}");
        }
        assert!(serde_json::from_str::<Amount>("7").is_err(), "a number is no amount");
    }

    #[test]
    fn a_change_has_one_text_too() {
        for right in ["0", "7", "-7"] {
            assert_eq!(right.parse::<Change>().unwrap().to_string(), right);
        }
        for wrong in ["", "-", "-0", "--1", "-01", "+1"] {
            assert_eq!(wrong.parse::<Change>(), Err(AmountError), "{wrong}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_amounts() {
        let most = Amount::new(MAX_AMOUNT).unwrap();
        let one = Amount::new(1).unwrap();
        assert_eq!(most.checked_add(one), None);
        assert_eq!(Amount::ZERO.checked_sub(one), None);
        assert_eq!(Amount::ZERO.changed(one.less()), None);
        assert_eq!(most.changed(one.plus()), None);
        assert_eq!(most.changed(most.less()), Some(Amount::ZERO));
        assert_eq!(one.less().units(), -1);
        assert_eq!(one.less().size(), one);
    }

    #[test]
    fn people_see_whole_units() {
        let shown = |units, decimals| Amount::new(units).unwrap().shown(decimals);
        assert_eq!(shown(1234, 2), "12.34");
        assert_eq!(shown(4, 2), "0.04");
        assert_eq!(shown(0, 8), "0.00000000");
        assert_eq!(shown(1234, 0), "1234");
    }
}
