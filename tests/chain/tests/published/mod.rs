//! A feed of all exchanges, and what is said of its publications.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use r3e_client::TenantChannel;
use r3e_e2e::exchanges::EXCHANGES;
use r3e_proto::api::feeds::SetFeed;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// How long anything may take that has to happen.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);

/// The feed, with what `more` says.
pub(crate) fn feed(more: &Value) -> SetFeed {
    let mut feed = json!({
        "pair": "BTC/USD",
        "sources": EXCHANGES.map(|(id, ..)| id),
        "interval_ms": 1_000,
        "timeout_ms": 1_000,
        "policy": { "decimals": 2, "deviation_bps": 10, "frozen_rounds": 1_000, "heartbeat_ms": 600_000 },
    });
    feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(feed).unwrap()
}

#[allow(dead_code, reason = "each test file uses its own part")]
/// Waits until it is said what holds a publication up, in these words.
pub(crate) async fn trouble(channel: &mut TenantChannel, words: &str) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let published = channel.feed_publications("btc-usd").await.unwrap();
        if published.iter().any(|one| one.trouble.as_ref().is_some_and(|trouble| trouble.contains(words))) {
            return;
        }
        assert!(Instant::now() < deadline, "{published:?}");
        sleep(Duration::from_millis(100)).await;
    }
}
