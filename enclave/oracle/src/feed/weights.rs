//! Weights with a cap, and the values that stand in the middle of them. Integers alone.

/// What a weight is multiplied by before it is capped, so that the cap is met to a millionth.
const FINER: u64 = 1_000_000;
/// All of something, in hundredths of a percent.
const ALL_BPS: u128 = 10_000;

/// The weights, none of them more than `cap_bps` of their sum; all alike where so few cannot meet that.
///
/// Those that are over are brought down to one weight `t` with `t = cap (rest + j t)`, j of them, the rest being those below `t`.
pub(super) fn capped(weights: &[u32], cap_bps: u32) -> Vec<u64> {
    let cap = u128::from(cap_bps);
    let mut falling: Vec<u64> = weights.iter().map(|weight| u64::from(*weight) * FINER).collect();
    falling.sort_unstable_by(|one, other| other.cmp(one));
    let mut rest: u128 = falling.iter().copied().map(u128::from).sum();
    let mut capped = 0_u128;
    for weight in falling.iter().copied().map(u128::from) {
        // With so many at the cap, how much is it?
        let Some(divisor) = ALL_BPS.checked_sub(capped * cap).filter(|divisor| *divisor > 0) else { break };
        let most = if capped == 0 { cap * rest / ALL_BPS } else { cap * rest / divisor };
        if weight <= most {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            return weights.iter().map(|weight| (u64::from(*weight) * FINER).min(most)).collect();
        }
        (rest, capped) = (rest - weight, capped + 1);
    }
    vec![FINER; weights.len()]
}

/// The least value such that it and those below it have `numerator / denominator` of all weight, among values in rising order; none
/// where there are none.
pub(super) fn quantile(rising: &[(i128, u64)], numerator: u64, denominator: u64) -> Option<i128> {
    let all: u64 = rising.iter().map(|(_, weight)| weight).sum();
    let mut below = 0_u64;
    rising.iter().find_map(|(value, weight)| {
        below += weight;
        let enough = u128::from(below) * u128::from(denominator) >= u128::from(all) * u128::from(numerator);
        enough.then_some(*value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::{MAX_WEIGHT_BPS, SOURCES, WEIGHTS};

    #[test]
    fn the_cap() {
        assert_eq!(capped(&[1, 1, 1, 1, 1], 3_333), [FINER; 5]);
        // A quarter each is the most: two of four at the cap leave half for the rest, 30 of them.
        assert_eq!(capped(&[100, 100, 10, 10, 10], 2_500), [15, 15, 10, 10, 10].map(|w| w * FINER));
        // A tenth of all cannot be met by five.
        assert_eq!(capped(&[9, 1, 1, 1, 1], 1_000), [FINER; 5]);
        assert_eq!(capped(&[100, 1, 1, 1, 1], 3_333)[1..], [FINER; 4]);
    }

    #[test]
    fn the_middle() {
        let values = [(10, 1), (20, 1), (30, 1), (40, 1)];
        assert_eq!(quantile(&values, 1, 2), Some(20));
        assert_eq!(quantile(&values, 1, 4), Some(10));
        assert_eq!(quantile(&values, 3, 4), Some(30));
        assert_eq!(quantile(&[(10, 1), (20, 5), (30, 1)], 1, 4), Some(20));
        assert_eq!(quantile(&[], 1, 2), None);
    }

    proptest! {
        #[test]
        fn none_is_over_the_cap(
            weights in prop::collection::vec(WEIGHTS, SOURCES),
            cap in MAX_WEIGHT_BPS,
        ) {
            let result = capped(&weights, cap);
            let all: u64 = result.iter().sum();
            let alike = result.iter().all(|weight| *weight == FINER);
            for (weight, before) in result.iter().zip(&weights) {
                let over = u128::from(*weight) * ALL_BPS > u128::from(all) * u128::from(cap);
                prop_assert!(alike || !over, "{:?} {}", result, cap);
                prop_assert!(alike || *weight <= u64::from(*before) * FINER);
                prop_assert!(*weight > 0);
            }
            // The order of weights stays.
            for (one, before) in result.iter().zip(&weights) {
                for (other, other_before) in result.iter().zip(&weights) {
                    prop_assert!(before > other_before || one <= other);
                }
            }
        }
    }
}
