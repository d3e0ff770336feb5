//! The widths of floating-point numbers: half precision to double, and the shortest form that loses nothing
//! (RFC 8949 section 4.2.1 takes it from the preferred serialization of section 4.1).

/// A floating-point number in its shortest encoding that keeps the value. Every NaN is the one of half
/// precision, `7e00`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shortest {
    Half(u16),
    Single(u32),
    Double(u64),
}

/// The shortest form of `value`.
pub(crate) fn shortest(value: f64) -> Shortest {
    if value.is_nan() {
        return Shortest::Half(0x7e00);
    }
    if let Some(bits) = half_from_f64(value) {
        return Shortest::Half(bits);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the loss is what the comparison below looks for")]
    let single = value as f32;
    if f64::from(single).to_bits() == value.to_bits() {
        Shortest::Single(single.to_bits())
    } else {
        Shortest::Double(value.to_bits())
    }
}

/// The number that the IEEE 754 half-precision `bits` stand for.
pub(crate) fn half_to_f64(bits: u16) -> f64 {
    let exponent = i32::from((bits >> 10) & 0x1f);
    let fraction = f64::from(bits & 0x03ff);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        normal => (1024.0 + fraction) * 2f64.powi(normal - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// The half-precision bits of `value`, if they lose nothing. NaN is not expected here.
fn half_from_f64(value: f64) -> Option<u16> {
    const FRACTION_BITS: u64 = 52;
    let bits = value.to_bits();
    let sign = u16::try_from(bits >> 63).ok()? << 15;
    let exponent = i64::try_from((bits >> FRACTION_BITS) & 0x7ff).ok()? - 1023;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let magnitude = match exponent {
        -1023 if fraction == 0 => 0,
        1024 => 0x7c00,
        -14..=15 => (u64::try_from(exponent + 15).ok()? << 10) | exact_shift(fraction, 42)?,
        // Subnormal halves count in units of 2^-24.
        -24..=-15 => exact_shift(fraction | (1 << FRACTION_BITS), u32::try_from(28 - exponent).ok()?)?,
        _ => return None,
    };
    Some(sign | u16::try_from(magnitude).ok()?)
}

/// `value >> by`, if no set bit falls off.
fn exact_shift(value: u64, by: u32) -> Option<u64> {
    (value.trailing_zeros() >= by).then_some(value >> by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_there_and_back() {
        for bits in 0..=u16::MAX {
            let value = half_to_f64(bits);
            let expected = if value.is_nan() { 0x7e00 } else { bits };
            assert_eq!(shortest(value), Shortest::Half(expected), "{bits:04x}");
        }
    }

    #[test]
    fn neighbours_of_halves_need_more_bits() {
        for bits in [0x0001_u16, 0x0400, 0x3c00, 0x7bff] {
            let next = f64::from_bits(half_to_f64(bits).to_bits() + 1);
            assert_eq!(shortest(next), Shortest::Double(next.to_bits()));
        }
        assert_eq!(shortest(100_000.0), Shortest::Single(100_000_f32.to_bits()));
        assert_eq!(shortest(65_536.0), Shortest::Single(65_536_f32.to_bits()));
    }
}
