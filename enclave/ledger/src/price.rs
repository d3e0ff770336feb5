//! What usage costs: whole-number arithmetic over the sums of a month.
//!
//! A plan prices a million of each unit. What a month costs is computed from the month's sums, not from each invocation, and
//! is rounded down once, so that no invocation is rounded up and nothing is lost or gained between them.

use r3e_proto::api::billing::{Amount, Metered};

use crate::terms::Plan;

const MILLION: u128 = 1_000_000;
/// Storage is priced by the MiB and second.
const MIB: u64 = 1024 * 1024;

/// What `used` costs in a month, in millionths of the smallest unit. None where that is no number of ours.
fn millionths(plan: &Plan, used: &Metered) -> Option<u128> {
    let beyond = used.minus(&plan.allowance);
    let prices = &plan.prices;
    let parts = [
        (beyond.invocations, prices.invocations),
        (beyond.cpu_us, prices.cpu_us),
        (beyond.wall_us, prices.wall_us),
        (beyond.memory_mib_ms, prices.memory_mib_ms),
        (beyond.bytes_out, prices.bytes_out),
        (beyond.host_calls, prices.host_calls),
        (beyond.storage_byte_s / MIB, prices.storage_mib_s),
    ];
    parts.into_iter().try_fold(0u128, |sum, (quantity, price)| {
        // 2^64 times 10^18 is below 2^124.
        sum.checked_add(u128::from(quantity) * u128::from(price))
    })
}

/// What `used` costs in a month, rounded down; the largest amount where it is more.
pub(crate) fn cost(plan: &Plan, used: &Metered) -> Amount {
    let units = millionths(plan, used).unwrap_or(u128::MAX) / MILLION;
    Amount::new(units).unwrap_or_else(|_| most())
}

/// The most that `used` may come to cost, rounded up. None where that is no amount.
pub(crate) fn most_cost(plan: &Plan, used: &Metered) -> Option<Amount> {
    Amount::new(millionths(plan, used)?.div_ceil(MILLION)).ok()
}

fn most() -> Amount {
    Amount::new(r3e_proto::limits::MAX_AMOUNT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use r3e_proto::api::billing::Quota;

    use crate::terms::{Kind, Prices};

    fn plan(allowance: Metered, prices: Prices) -> Plan {
        Plan {
            name: "p".into(),
            kind: Kind::Monthly,
            fee: Amount::ZERO,
            term_months: 1,
            allowance,
            ceiling: Quota::default(),
            prices,
        }
    }

    fn units(amount: Amount) -> u128 {
        amount.units()
    }

    #[test]
    fn a_month_is_rounded_once_and_down() {
        let plan = plan(Metered::default(), Prices { invocations: 400_000, ..Prices::default() });
        let used = |invocations| Metered { invocations, ..Metered::default() };
        // 0.4 units each: ten of them are four, not none and not ten.
        assert_eq!(units(cost(&plan, &used(1))), 0);
        assert_eq!(units(cost(&plan, &used(2))), 0);
        assert_eq!(units(cost(&plan, &used(3))), 1);
        assert_eq!(units(cost(&plan, &used(10))), 4);
        assert_eq!(most_cost(&plan, &used(1)).map(units), Some(1));
        assert_eq!(most_cost(&plan, &used(10)).map(units), Some(4));
    }

    #[test]
    fn an_allowance_is_free_and_what_is_beyond_is_not() {
        let allowance = Metered { cpu_us: 1_000, ..Metered::default() };
        let plan = plan(allowance, Prices { cpu_us: 1_000_000, invocations: 0, ..Prices::default() });
        let used = |cpu_us| Metered { cpu_us, invocations: 9, ..Metered::default() };
        assert_eq!(units(cost(&plan, &used(1_000))), 0);
        assert_eq!(units(cost(&plan, &used(1_007))), 7);
    }

    #[test]
    fn storage_is_priced_by_the_mib_and_second() {
        let plan = plan(Metered::default(), Prices { storage_mib_s: 1_000_000, ..Prices::default() });
        let used = |storage_byte_s| Metered { storage_byte_s, ..Metered::default() };
        assert_eq!(units(cost(&plan, &used(MIB - 1))), 0);
        assert_eq!(units(cost(&plan, &used(MIB * 60))), 60);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let all = 1_000_000_000_000_000_000;
        let prices = Prices {
            invocations: all,
            cpu_us: all,
            wall_us: all,
            memory_mib_ms: all,
            bytes_out: all,
            host_calls: all,
            storage_mib_s: all,
        };
        let most_used = Metered {
            invocations: u64::MAX,
            failures: u64::MAX,
            cpu_us: u64::MAX,
            wall_us: u64::MAX,
            memory_mib_ms: u64::MAX,
            bytes_out: u64::MAX,
            host_calls: u64::MAX,
            storage_byte_s: u64::MAX,
        };
        let plan = plan(Metered::default(), prices);
        assert_eq!(cost(&plan, &most_used), most());
        assert_eq!(most_cost(&plan, &most_used), None);
    }

    fn metered() -> impl Strategy<Value = Metered> {
        (0..5_000u64, 0..5_000u64, 0..5_000u64).prop_map(|(invocations, cpu_us, bytes_out)| Metered {
            invocations,
            cpu_us,
            bytes_out,
            ..Metered::default()
        })
    }

    proptest! {
        /// What admission relies on: whoever uses less pays no more, and what is set aside for several together suffices for
        /// what each of them uses, in whatever order they end.
        #[test]
        fn cost_rises_with_use(allowance in metered(), used in metered(), more in metered()) {
            let prices = Prices { invocations: 300_001, cpu_us: 7, bytes_out: 1_999_999, ..Prices::default() };
            let plan = plan(allowance, prices);
            let together = used.plus(&more);
            prop_assert!(cost(&plan, &used) <= cost(&plan, &together));
            prop_assert!(cost(&plan, &together) <= most_cost(&plan, &together).unwrap());
        }
    }
}
