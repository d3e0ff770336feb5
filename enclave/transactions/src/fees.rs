//! Prices of gas (EIP-1559), and how they rise.

use r3e_proto::api::wallets::Wei;
use serde::{Deserialize, Serialize};

/// What a unit of gas may cost, and what of it goes to whoever makes the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// The highest price.
    pub max: Wei,
    /// The tip.
    pub tip: Wei,
}

impl Fees {
    /// By a tenth more, rounded up, and by 1 at least: less than that, no node takes in the place of what it has.
    pub(crate) fn raised(self) -> Self {
        let raised = |wei: Wei| Wei(wei.0.saturating_add(wei.0.div_ceil(10)).max(wei.0.saturating_add(1)));
        Self { max: raised(self.max), tip: raised(self.tip) }
    }

    /// Both at least as high as the other's.
    pub(crate) fn at_least(self, other: Self) -> Self {
        Self { max: Wei(self.max.0.max(other.max.0)), tip: Wei(self.tip.0.max(other.tip.0)) }
    }

    /// The same under a highest price.
    pub(crate) fn under(self, price: u128) -> Self {
        let max = self.max.0.min(price);
        Self { max: Wei(max), tip: Wei(self.tip.0.min(max)) }
    }

    /// Whether a node takes these in the place of `before`.
    pub(crate) fn replaces(self, before: Self) -> bool {
        let needed = before.raised();
        self.max.0 >= needed.max.0 && self.tip.0 >= needed.tip.0 && self.tip.0 <= self.max.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fees(max: u128, tip: u128) -> Fees {
        Fees { max: Wei(max), tip: Wei(tip) }
    }

    #[test]
    fn prices_rise_by_a_tenth_rounded_up() {
        assert_eq!(fees(100, 11).raised(), fees(110, 13));
        assert_eq!(fees(0, 0).raised(), fees(1, 1));
        assert_eq!(fees(u128::MAX, 1).raised(), fees(u128::MAX, 2));
        assert!(fees(100, 10).raised().replaces(fees(100, 10)));
        assert!(!fees(109, 11).replaces(fees(100, 10)) && !fees(110, 10).replaces(fees(100, 10)));
        assert!(!fees(10, 11).replaces(fees(5, 5)), "no tip is over the price");
    }

    #[test]
    fn a_limit_holds_for_both() {
        assert_eq!(fees(100, 50).under(40), fees(40, 40));
        assert_eq!(fees(100, 50).under(200), fees(100, 50));
    }
}
