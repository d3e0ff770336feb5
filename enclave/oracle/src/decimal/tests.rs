//! Numbers: their texts, their limits, and arithmetic that is exact or says that it cannot be.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn what_is_read() {
    for (text, shown) in [
        ("0", "0"),
        ("0.000", "0"),
        ("0e-60", "0"),
        ("12", "12"),
        ("100", "100"),
        ("0.00067643", "0.00067643"),
        ("30303.20000", "30303.2"),
        ("1.2e-7", "0.00000012"),
        ("1.2E+3", "1200"),
        ("12.5e1", "125"),
        ("5E0", "5"),
        ("1602221.66468375534639404191", "1602221.66468375534639404191"),
        ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ("1e37", "10000000000000000000000000000000000000"),
        ("1e-36", "0.000000000000000000000000000000000001"),
    ] {
        assert_eq!(read(text).to_string(), shown, "{text}");
    }
    assert_eq!(read("1.50"), read("1.5"));
    assert_eq!(serde_json::to_string(&read("0.10")).unwrap(), "\"0.1\"");
    assert_eq!(serde_json::from_str::<Decimal>("\"0.10\"").unwrap(), read("0.1"));
    assert!(serde_json::from_str::<Decimal>("0.10").is_err(), "a float has been rounded already");
}

#[test]
fn what_is_refused() {
    for (text, error) in [
        ("-1", DecimalError::Sign),
        ("+1", DecimalError::Sign),
        ("-0", DecimalError::Sign),
        ("", DecimalError::Form),
        ("NaN", DecimalError::Form),
        ("nan", DecimalError::Form),
        ("Infinity", DecimalError::Form),
        ("inf", DecimalError::Form),
        ("-inf", DecimalError::Sign),
        (".5", DecimalError::Form),
        ("5.", DecimalError::Form),
        ("5.e1", DecimalError::Form),
        ("05", DecimalError::Form),
        ("1,000", DecimalError::Form),
        ("1_000", DecimalError::Form),
        (" 1", DecimalError::Form),
        ("1 ", DecimalError::Form),
        ("1.2.3", DecimalError::Form),
        ("1.-2", DecimalError::Form),
        ("0x10", DecimalError::Form),
        ("1e", DecimalError::Form),
        ("1e+", DecimalError::Form),
        ("1e1.5", DecimalError::Form),
        ("1e--1", DecimalError::Form),
        ("1e1e1", DecimalError::Form),
        ("\u{0661}", DecimalError::Form),
        ("1e38", DecimalError::TooLarge),
        ("1e999", DecimalError::TooLarge),
        ("1e99999999999999999999", DecimalError::TooLarge),
        ("100000000000000000000000000000000000000", DecimalError::TooLarge),
        ("1e-37", DecimalError::TooLong),
        ("1e-64", DecimalError::TooLong),
        ("0.0000000000000000000000000000000000001", DecimalError::TooLong),
        ("1000.0000000000000000000000000000000000001", DecimalError::TooLong),
        ("999999999999999999999999999999999999999999", DecimalError::TooLong),
    ] {
        assert_eq!(text.parse::<Decimal>(), Err(error), "{text:?}");
    }
    assert_eq!("1".repeat(65).parse::<Decimal>(), Err(DecimalError::TooLong));
    assert_eq!(format!("0.{}", "0".repeat(63)).parse::<Decimal>(), Err(DecimalError::TooLong));
}

#[test]
fn halves_go_to_the_even_neighbour() {
    for (text, decimals, units) in [
        ("0.5", 0, 0),
        ("1.5", 0, 2),
        ("2.5", 0, 2),
        ("2.51", 0, 3),
        ("1.005", 2, 100),
        ("1.015", 2, 102),
        ("1.0150000001", 2, 102),
        ("1", 8, 100_000_000),
        ("0.000000001", 8, 0),
    ] {
        assert_eq!(read(text).to_units(decimals), Some(units), "{text}");
    }
    assert_eq!(read("1e37").to_units(8), None);
    let below = read("1").checked_sub(read("3.5")).unwrap();
    assert_eq!((below.to_string().as_str(), below.to_units(0)), ("-2.5", Some(-2)));
}

#[test]
fn one_divided_by_it() {
    for (text, shown) in [
        ("4", "0.25"),
        ("0.25", "4"),
        ("3", "0.333333333333333333333333333333333333"),
        ("6", "0.166666666666666666666666666666666667"),
        ("64000", "0.000015625"),
    ] {
        assert_eq!(read(text).reciprocal(), Some(read(shown)), "{text}");
    }
    assert_eq!(Decimal::ZERO.reciprocal(), None);
    assert_eq!(read("1e-36").reciprocal(), Some(read("1e36")));
    // Of so long a number, too few digits of the quotient would be left.
    assert_eq!(read("12345678901234567890123").reciprocal(), None);
}

#[test]
fn a_product_from_below() {
    assert_eq!(read("2.5").product_below(read("4")), Some(read("10")));
    let long = read("1602221.66468375534639404191");
    let product = long.product_below(long).unwrap();
    // Exactly, it is 2567114262781.984154...: all but what stands behind eighteen digits of the factors.
    assert!(product < read("2567114262781.984134") && product > read("2567114262781.984133"), "{product}");
    assert_eq!(long.checked_mul(long), None, "it would not be exact");
    assert_eq!(read("1e-30").product_below(read("1e-30")), Some(Decimal::ZERO));
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    (0..10_i128.pow(30), 0..=MAX_SCALE).prop_map(|(units, scale)| Decimal::from_units(units, scale).unwrap())
}

fn small() -> impl Strategy<Value = Decimal> {
    (0..10_i128.pow(12), 0..=12_u32).prop_map(|(units, scale)| Decimal::from_units(units, scale).unwrap())
}

proptest! {
    #[test]
    fn text_and_number_are_one(number in any_decimal()) {
        prop_assert_eq!(number.to_string().parse(), Ok(number));
    }

    #[test]
    fn an_exponent_moves_the_point(number in 1..1_000_000_000_i128, places in 0..20_u32) {
        let moved: Decimal = format!("{number}e-{places}").parse().unwrap();
        prop_assert_eq!(Some(moved), Decimal::from_units(number, places));
    }

    #[test]
    fn arithmetic_is_exact(a in small(), b in small(), c in small()) {
        let sum = a.checked_add(b).unwrap();
        prop_assert_eq!(sum.checked_sub(b), Some(a));
        prop_assert_eq!(b.checked_add(a), Some(sum));
        // Over a common denominator, by integers alone.
        let units = |number: Decimal| number.to_units(12).unwrap();
        prop_assert_eq!(units(sum), units(a) + units(b));
        if let (Some(left), Some(one), Some(two)) = (sum.checked_mul(c), a.checked_mul(c), b.checked_mul(c)) {
            prop_assert_eq!(Some(left), one.checked_add(two));
        }
        prop_assert_eq!(a.cmp(&b), units(a).cmp(&units(b)));
        if let (Some(exact), Some(below)) = (a.checked_mul(b), a.product_below(b)) {
            prop_assert_eq!(below, exact);
        }
    }

    #[test]
    fn rounding_is_off_by_a_half_at_the_most(number in any_decimal(), decimals in 0..=18_u32) {
        let rounded = number.to_units(decimals).and_then(|units| Decimal::from_units(units, decimals));
        if let Some(back) = rounded {
            let off = if back > number { back.checked_sub(number) } else { number.checked_sub(back) };
            // Where the difference needs more places than there are, it was not rounded.
            if let Some(off) = off {
                prop_assert!(off <= Decimal::from_units(5, decimals + 1).unwrap());
            }
        }
    }

    #[test]
    fn whatever_the_text_it_ends(text in r"[-+]?[0-9.eE]{0,12}[0-9a-zA-Z.+ -]{0,60}") {
        if let Ok(number) = text.parse::<Decimal>() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{} is {}", text, number);
        }
    }
}
