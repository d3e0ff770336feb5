//! How many refusals of a wallet are written down: each is a commit, and whoever may ask may be refused as often as it likes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use r3e_proto::api::identity::TenantId;

use crate::limits::{MAX_LOGGED_REFUSALS, REFUSAL_SPAN_MS};

/// The refusals of all wallets, lately.
#[derive(Default)]
pub(super) struct Refusals(Mutex<HashMap<(TenantId, String), Lately>>);

/// Those of one wallet, since a time.
#[derive(Default)]
struct Lately {
    since_ms: u64,
    logged: u32,
    /// Refused without an entry, and not counted in any state yet.
    unlogged: u64,
}

impl Refusals {
    /// Whether one more is to be written down now; with it goes how many before it were not. One that is not is counted.
    pub(super) fn log(&self, tenant: TenantId, name: &str, now_ms: u64) -> Option<u64> {
        let mut wallets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is over and left nothing to say is forgotten.
        wallets.retain(|_, lately| lately.unlogged > 0 || !lately.is_over(now_ms));
        let lately = wallets.entry((tenant, name.to_owned())).or_default();
        if lately.is_over(now_ms) {
            (lately.since_ms, lately.logged) = (now_ms, 0);
        }
        if lately.logged >= MAX_LOGGED_REFUSALS {
            lately.unlogged = lately.unlogged.saturating_add(1);
            return None;
        }
        lately.logged += 1;
        Some(std::mem::take(&mut lately.unlogged))
    }
}

impl Lately {
    fn is_over(&self, now_ms: u64) -> bool {
        // A clock that was set back ends no span early.
        now_ms.saturating_sub(self.since_ms) >= REFUSAL_SPAN_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: TenantId = TenantId([1; 16]);
    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn so_many_in_a_span_are_written_down_and_the_rest_is_counted() {
        let refusals = Refusals::default();
        let log = |name: &str, now_ms| refusals.log(TENANT, name, now_ms);
        for _ in 0..MAX_LOGGED_REFUSALS {
            assert_eq!(log("hot", NOW), Some(0));
        }
        for _ in 0..1_000 {
            assert_eq!(log("hot", NOW + REFUSAL_SPAN_MS - 1), None);
        }
        assert_eq!(log("cold", NOW), Some(0), "each wallet has its own");
        assert_eq!(log("hot", NOW + REFUSAL_SPAN_MS), Some(1_000));
        assert_eq!(log("hot", NOW + REFUSAL_SPAN_MS), Some(0));
    }

    #[test]
    fn wallets_that_are_left_alone_are_forgotten() {
        let refusals = Refusals::default();
        for number in 0..100_u64 {
            refusals.log(TENANT, &number.to_string(), NOW + number * REFUSAL_SPAN_MS);
        }
        assert_eq!(refusals.0.lock().unwrap().len(), 1);
    }
}
