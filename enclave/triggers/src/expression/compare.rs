//! Equality and order. Numbers of different types are compared by what they are, and not by what a conversion makes of them.

use std::cmp::Ordering;

use super::Failed;
use super::meter::Meter;
use super::value::{Lookup, Value};

/// 2 to the 63rd.
const PAST_INT: f64 = 9_223_372_036_854_775_808.0;

/// Whether two values are equal. Values of different types are not.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>, meter: &Meter) -> Result<bool, Failed> {
    meter.steps(1)?;
    Ok(match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => {
            meter.reads(left.len().min(right.len()))?;
            left == right
        }
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            numbers(left, right) == Some(Ordering::Equal)
        }
        (Value::Array(_) | Value::List(_), Value::Array(_) | Value::List(_)) => {
            let (Some(left), Some(right)) = (left.elements(meter)?, right.elements(meter)?) else {
                return Ok(false);
            };
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(&right) {
                if !equal(left, right, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(_) | Value::Entries(_), Value::Object(_) | Value::Entries(_)) => {
            if left.size(meter)? != right.size(meter)? {
                return Ok(false);
            }
            for key in left.elements(meter)?.into_iter().flatten() {
                let Value::Text(key) = key else { return Ok(false) };
                let (Lookup::Found(left), Lookup::Found(right)) =
                    (left.entry(&key, meter)?, right.entry(&key, meter)?)
                else {
                    return Ok(false);
                };
                if !equal(&left, &right, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

/// The order of two values: of numbers, texts and truth values; none of what has none.
pub(super) fn order(left: &Value<'_>, right: &Value<'_>, meter: &Meter) -> Result<Option<Ordering>, Failed> {
    Ok(match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => {
            meter.reads(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        _ => numbers(left, right),
    })
}

fn numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Double(right)) => int_and_double(*left, *right),
        (Value::Double(left), Value::Int(right)) => int_and_double(*right, *left).map(Ordering::reverse),
        _ => None,
    }
}

fn int_and_double(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= PAST_INT {
        return Some(Ordering::Less);
    }
    if double < -PAST_INT {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range of an i64, and whole")]
    let whole = double.trunc() as i64;
    Some(int.cmp(&whole).then(0.0f64.partial_cmp(&double.fract())?))
}

/// A double as a number without a fraction, cut towards zero.
pub(super) fn to_int(double: f64) -> Option<i64> {
    let is_within = double > -PAST_INT && double < PAST_INT;
    #[expect(clippy::cast_possible_truncation, reason = "it is within the range of an i64, and whole")]
    let int = is_within.then(|| double.trunc() as i64);
    int
}
