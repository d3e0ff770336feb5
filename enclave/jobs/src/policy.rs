//! When a job is tried again: what the policy allows, and after how long.

use aws_lc_rs::rand;
use r3e_proto::api::functions::STORE_UNCONFIRMED;
use r3e_proto::api::jobs::{RetryOn, RetryPolicy};

use crate::error::JobsError;
use crate::limits::{ATTEMPTS, FIRST_DELAY_MS, MAX_DELAY_MS};

/// The policy in its one form: what is retried is named once, in order.
///
/// # Errors
/// [`JobsError::Invalid`].
pub fn checked(mut policy: RetryPolicy) -> Result<RetryPolicy, JobsError> {
    let out_of =
        |what: &str, least: u64, most: u64| Err(JobsError::Invalid(format!("{what} is {least} to {most}")));
    if !ATTEMPTS.contains(&policy.attempts) {
        return out_of("the policy's attempts", (*ATTEMPTS.start()).into(), (*ATTEMPTS.end()).into());
    }
    if !FIRST_DELAY_MS.contains(&policy.first_delay_ms) {
        return out_of("the policy's first_delay_ms", *FIRST_DELAY_MS.start(), *FIRST_DELAY_MS.end());
    }
    if !(policy.first_delay_ms..=MAX_DELAY_MS).contains(&policy.max_delay_ms) {
        return out_of("the policy's max_delay_ms", policy.first_delay_ms, MAX_DELAY_MS);
    }
    policy.retry_on.sort_unstable();
    policy.retry_on.dedup();
    Ok(policy)
}

/// What class of failure an error's code is of; none for one that is never retried.
pub(crate) fn class(code: &str) -> Option<RetryOn> {
    Some(match code {
        "crashed" | "protocol" => RetryOn::Crashed,
        "timeout" => RetryOn::Timeout,
        "cpu_limit" | "memory_limit" | "output_limit" | "host_call_limit" => RetryOn::Limit,
        "function_error" | "load_error" => RetryOn::FunctionError,
        STORE_UNCONFIRMED => RetryOn::StoreUnconfirmed,
        _ => return None,
    })
}

/// The most that is waited after `attempts` of them.
pub(crate) fn longest_delay_ms(first_ms: u64, max_ms: u64, attempts: u32) -> u64 {
    let doublings = attempts.saturating_sub(1).min(63);
    first_ms.saturating_mul(1 << doublings).min(max_ms)
}

/// Full jitter: evenly from nothing to `longest_ms`, so that what failed together does not come back together.
pub(crate) fn jittered(longest_ms: u64) -> u64 {
    let mut random = [0; 8];
    // Where there is no randomness, the whole delay is as good as any.
    if rand::fill(&mut random).is_err() {
        return longest_ms;
    }
    // A remainder of 64 random bits by at most 2^22: the bias is below 2^-42.
    u64::from_be_bytes(random) % longest_ms.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_their_most() {
        let delays: Vec<u64> = (1..=5).map(|attempts| longest_delay_ms(100, 500, attempts)).collect();
        assert_eq!(delays, [100, 200, 400, 500, 500]);
        assert_eq!(longest_delay_ms(u64::MAX, u64::MAX, 60), u64::MAX);
        assert_eq!(longest_delay_ms(3_600_000, MAX_DELAY_MS, u32::MAX), MAX_DELAY_MS);
    }

    #[test]
    fn jitter_is_full() {
        let drawn: Vec<u64> = (0..2_000).map(|_| jittered(9)).collect();
        assert!((0..=9).all(|delay| drawn.contains(&delay)));
        assert!(drawn.iter().all(|delay| *delay <= 9));
        assert_eq!(jittered(0), 0);
    }

    #[test]
    fn policies_are_bounded_and_have_one_form() {
        let default = RetryPolicy::default();
        assert_eq!(checked(default.clone()).unwrap(), default);
        let twice = vec![RetryOn::Timeout, RetryOn::Interrupted, RetryOn::Timeout];
        let one_form = checked(RetryPolicy { retry_on: twice, ..default.clone() }).unwrap();
        assert_eq!(one_form.retry_on, [RetryOn::Interrupted, RetryOn::Timeout]);
        for wrong in [
            RetryPolicy { attempts: 0, ..default.clone() },
            RetryPolicy { attempts: 11, ..default.clone() },
            RetryPolicy { first_delay_ms: 0, ..default.clone() },
            RetryPolicy { max_delay_ms: default.first_delay_ms - 1, ..default.clone() },
            RetryPolicy { max_delay_ms: MAX_DELAY_MS + 1, ..default.clone() },
        ] {
            assert!(checked(wrong).is_err());
        }
    }

    #[test]
    fn what_may_stand_twice_is_not_retried_by_default() {
        let default = RetryPolicy::default();
        for code in ["store_unconfirmed", "function_error", "load_error", "timeout", "memory_limit"] {
            assert!(!class(code).is_some_and(|class| default.retry_on.contains(&class)), "{code}");
        }
        assert_eq!(class("crashed"), Some(RetryOn::Crashed));
        assert_eq!(class("a code of another release"), None);
    }
}
