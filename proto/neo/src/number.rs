//! Numbers of 256 bits, which both chains have: held as bytes, written as decimal text. There is no arithmetic here.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Digits of the largest unsigned number.
const MAX_DIGITS: usize = 78;
/// Bits of a number.
const BITS: usize = 256;

/// A text that is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal number of at most 256 bits, without leading zeros")]
pub struct NumberError;

/// An unsigned number, big-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uint256(pub [u8; 32]);

/// A signed number, big-endian, in two's complement.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Int256(pub [u8; 32]);

impl Uint256 {
    /// The number, where it fits 128 bits.
    pub fn to_u128(self) -> Option<u128> {
        let (high, low) = self.0.split_at(16);
        if high.iter().any(|byte| *byte != 0) {
            return None;
        }
        low.try_into().ok().map(u128::from_be_bytes)
    }

    /// Whether it has at most `bits` bits.
    pub fn fits(self, bits: usize) -> bool {
        let zero_bits = BITS.saturating_sub(bits);
        let (whole, rest) = (zero_bits / 8, zero_bits % 8);
        let head = self.0.iter().take(whole).all(|byte| *byte == 0);
        let next = self.0.get(whole).copied().unwrap_or(0);
        head && (rest == 0 || next >> (8 - rest) == 0)
    }
}

impl Int256 {
    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0[0] & 0x80 != 0
    }

    /// The number, where it fits 128 bits.
    pub fn to_i128(self) -> Option<i128> {
        let (high, low) = self.0.split_at(16);
        let number = low.try_into().ok().map(i128::from_be_bytes)?;
        let sign = if number < 0 { 0xff } else { 0 };
        high.iter().all(|byte| *byte == sign).then_some(number)
    }

    /// Whether it can be written in `bits` bits with its sign.
    pub fn fits(self, bits: usize) -> bool {
        if !self.is_negative() {
            return Uint256(self.0).fits(bits.saturating_sub(1));
        }
        // The complement of a negative number has its bits below the sign.
        Uint256(self.0.map(|byte| !byte)).fits(bits.saturating_sub(1))
    }

    /// Without its sign.
    fn magnitude(self) -> Uint256 {
        if self.is_negative() { Uint256(negated(self.0)) } else { Uint256(self.0) }
    }
}

impl From<u128> for Uint256 {
    fn from(number: u128) -> Self {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl From<i128> for Int256 {
    fn from(number: i128) -> Self {
        let mut bytes = [if number < 0 { 0xff } else { 0 }; 32];
        bytes[16..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Display for Uint256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Divided by ten again and again, in place; at most 78 times over 32 bytes.
        let mut rest = self.0;
        let mut digits = Vec::with_capacity(MAX_DIGITS);
        while digits.is_empty() || rest.iter().any(|byte| *byte != 0) {
            let mut carry = 0_u16;
            for byte in &mut rest {
                let value = carry << 8 | u16::from(*byte);
                // Below 256: the carry is below 10.
                *byte = u8::try_from(value / 10).unwrap_or_default();
                carry = value % 10;
            }
            digits.push(char::from(b'0' + u8::try_from(carry).unwrap_or_default()));
        }
        formatter.write_str(&digits.into_iter().rev().collect::<String>())
    }
}

impl fmt::Display for Int256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative() { "-" } else { "" };
        write!(formatter, "{sign}{}", self.magnitude())
    }
}

impl FromStr for Uint256 {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let plain = !text.is_empty()
            && text.len() <= MAX_DIGITS
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !plain {
            return Err(NumberError);
        }
        let mut bytes = [0; 32];
        for digit in text.bytes() {
            let mut carry = u16::from(digit - b'0');
            for byte in bytes.iter_mut().rev() {
                let value = u16::from(*byte) * 10 + carry;
                *byte = u8::try_from(value & 0xff).unwrap_or_default();
                carry = value >> 8;
            }
            if carry != 0 {
                return Err(NumberError);
            }
        }
        Ok(Self(bytes))
    }
}

impl FromStr for Int256 {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let magnitude: Uint256 = digits.parse()?;
        let zero = magnitude == Uint256::default();
        let number = Self(if negative { negated(magnitude.0) } else { magnitude.0 });
        // The sign bit must say what the sign said: else the number is over 255 bits, or a negative zero.
        if number.is_negative() == negative && !(negative && zero) { Ok(number) } else { Err(NumberError) }
    }
}

/// Two's complement.
fn negated(mut bytes: [u8; 32]) -> [u8; 32] {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
    }
    bytes
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

as_text!(Uint256, Int256);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_the_range() {
        let largest = Uint256([0xff; 32]);
        let text = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(largest.to_string(), text);
        assert_eq!(text.parse(), Ok(largest));
        let over = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
        assert_eq!(over.parse::<Uint256>(), Err(NumberError));
        let mut lowest = [0; 32];
        lowest[0] = 0x80;
        let text = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
        assert_eq!(Int256(lowest).to_string(), text);
        assert_eq!(text.parse(), Ok(Int256(lowest)));
        assert_eq!(text.trim_start_matches('-').parse::<Int256>(), Err(NumberError));
        for wrong in ["", "-", "-0", "00", "01", "+1", " 1", "1 ", "0x1", "1e3", &"9".repeat(79)] {
            assert_eq!(wrong.parse::<Int256>(), Err(NumberError), "{wrong:?}");
        }
    }

    #[test]
    fn what_fits() {
        for (number, bits, fits) in
            [(127, 8, true), (128, 8, false), (-128, 8, true), (-129, 8, false), (0, 8, true), (-1, 1, true)]
        {
            assert_eq!(Int256::from(number).fits(bits), fits, "{number} in {bits}");
        }
        assert!(Uint256::from(255_u128).fits(8) && !Uint256::from(256_u128).fits(8));
        assert!(Uint256([0xff; 32]).fits(256) && !Uint256([0xff; 32]).fits(255));
        assert!(Uint256([0; 32]).fits(0));
    }

    proptest! {
        #[test]
        fn text_and_bytes_are_one(bytes in any::<[u8; 32]>(), number in any::<i128>()) {
            prop_assert_eq!(Uint256(bytes).to_string().parse(), Ok(Uint256(bytes)));
            prop_assert_eq!(Int256(bytes).to_string().parse(), Ok(Int256(bytes)));
            prop_assert_eq!(Int256::from(number).to_string(), number.to_string());
            prop_assert_eq!(Int256::from(number).to_i128(), Some(number));
            prop_assert_eq!(Uint256::from(number.unsigned_abs()).to_u128(), Some(number.unsigned_abs()));
        }
    }
}
