//! Prices of gas (EIP-1559), and how they rise.

use r3e_proto::api::transactions::{Call, Fees};
use r3e_proto::api::wallets::Wei;

/// By a tenth more, rounded up, and by 1 at least: less than that, no node takes in the place of what it has.
pub(crate) fn raised(fees: Fees) -> Fees {
    let raised = |wei: Wei| Wei(wei.0.saturating_add(wei.0.div_ceil(10)).max(wei.0.saturating_add(1)));
    Fees { max: raised(fees.max), tip: raised(fees.tip) }
}

/// Each at least as high as the other's.
pub(crate) fn higher(one: Fees, other: Fees) -> Fees {
    Fees { max: Wei(one.max.0.max(other.max.0)), tip: Wei(one.tip.0.max(other.tip.0)) }
}

/// The same under a highest price.
pub(crate) fn under(fees: Fees, price: u128) -> Fees {
    let max = fees.max.0.min(price);
    Fees { max: Wei(max), tip: Wei(fees.tip.0.min(max)) }
}

/// Whether a node takes `fees` in the place of `before`.
pub(crate) fn replaces(fees: Fees, before: Fees) -> bool {
    let needed = raised(before);
    fees.max.0 >= needed.max.0 && fees.tip.0 >= needed.tip.0 && fees.tip.0 <= fees.max.0
}

/// The highest price of a unit of gas, where `gas` of it is used.
pub(crate) fn price_limit(call: &Call, gas: u64) -> u128 {
    call.fee_limit.0.checked_div(u128::from(gas)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fees(max: u128, tip: u128) -> Fees {
        Fees { max: Wei(max), tip: Wei(tip) }
    }

    #[test]
    fn prices_rise_by_a_tenth_rounded_up() {
        assert_eq!(raised(fees(100, 11)), fees(110, 13));
        assert_eq!(raised(fees(0, 0)), fees(1, 1));
        assert_eq!(raised(fees(u128::MAX, 1)), fees(u128::MAX, 2));
        assert!(replaces(raised(fees(100, 10)), fees(100, 10)));
        assert!(!replaces(fees(109, 11), fees(100, 10)) && !replaces(fees(110, 10), fees(100, 10)));
        assert!(!replaces(fees(10, 11), fees(5, 5)), "no tip is over the price");
    }

    #[test]
    fn a_limit_holds_for_both() {
        assert_eq!(under(fees(100, 50), 40), fees(40, 40));
        assert_eq!(under(fees(100, 50), 200), fees(100, 50));
    }
}
