//! Venues, tenants and a signer that do as they are told, and feeds over a keeper in memory, which they all outlive.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use r3e_feeds::{BoxFuture, Feeds, FeedsParts, Kept, Signer, Tenants, Web};
use r3e_proto::api::feeds::{Feed, SetFeed, Signature, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::report::REPORT_BYTES;
use r3e_store::Store;
use serde_json::{Value, json};

use crate::keeper::{self, Keeper};

pub(crate) const ALICE: TenantId = TenantId([1; 16]);
pub(crate) const BOB: TenantId = TenantId([2; 16]);
pub(crate) const TARGET: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
pub(crate) const INTERVAL_MS: u64 = 1_000;

/// What a venue does.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// Says this price, of this moment.
    Price(u64),
    /// Says this.
    Says(String),
    /// Says nothing, ever.
    Silent,
    /// Fails inside.
    Panics,
}

/// What was signed: of each feed and sequence, the one report.
pub(crate) type Signed = BTreeMap<(TenantId, [u8; 32], u64), [u8; REPORT_BYTES]>;

/// All the world outside.
pub(crate) struct World {
    pub(crate) now_ms: AtomicU64,
    pub(crate) venues: Mutex<BTreeMap<String, Manner>>,
    /// Fetches that were begun.
    pub(crate) asked: AtomicUsize,
    pub(crate) is_suspended: AtomicBool,
    pub(crate) signed: Mutex<Signed>,
    /// A sequence was signed with two contents.
    pub(crate) is_broken: AtomicBool,
}

pub(crate) fn host(at: usize) -> String {
    format!("v{at}.example")
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let venues = (0..7).map(|at| (host(at), Manner::Price(100_000))).collect();
        Arc::new(Self {
            now_ms: AtomicU64::new(1_700_000_000_000),
            venues: Mutex::new(venues),
            asked: AtomicUsize::new(0),
            is_suspended: AtomicBool::new(false),
            signed: Mutex::default(),
            is_broken: AtomicBool::new(false),
        })
    }

    pub(crate) fn behaves(&self, at: usize, manner: Manner) {
        self.venues.lock().unwrap().insert(host(at), manner);
    }

    pub(crate) fn all_say(&self, price: u64) {
        for at in 0..7 {
            self.behaves(at, Manner::Price(price));
        }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Waits, while the appliance's clock goes on.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, holds: impl Fn() -> F) {
        for _ in 0..600 {
            if holds().await {
                return;
            }
            self.pass(100);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not come to pass");
    }
}

impl Web for World {
    fn check(&self, url: &str) -> Result<(), String> {
        if url.contains("localhost") { Err("not public".into()) } else { Ok(()) }
    }

    fn get<'a>(&'a self, url: &'a str, _: usize, _: u64) -> BoxFuture<'a, Result<Bytes, String>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let host = url.strip_prefix("https://").unwrap().split('/').next().unwrap();
            let manner = self.venues.lock().unwrap()[host].clone();
            // Others come between.
            tokio::task::yield_now().await;
            match manner {
                Manner::Price(price) => {
                    let time = self.now_ms.load(Ordering::SeqCst);
                    Ok(json!({ "p": price.to_string(), "t": time }).to_string().into())
                }
                Manner::Says(text) => Ok(text.into()),
                Manner::Silent => std::future::pending().await,
                Manner::Panics => panic!("a venue that breaks its reader"),
            }
        })
    }
}

impl Tenants for World {
    fn is_active(&self, _: TenantId) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move { Ok(!self.is_suspended.load(Ordering::SeqCst)) })
    }
}

impl Signer for World {
    fn sign(&self, tenant: TenantId, target: &Target, kept: &Kept) -> Result<Signature, String> {
        let report = kept.report();
        let key = (tenant, report.feed_id.0, report.sequence);
        let before = self.signed.lock().unwrap().insert(key, report.encode());
        if before.is_some_and(|before| before != report.encode()) {
            self.is_broken.store(true, Ordering::SeqCst);
        }
        let digest = Hash32(target.digest(report).unwrap());
        Ok(Signature { target: *target, digest, signer: "test".into(), signature: HexBytes(vec![1]) })
    }
}

/// An appliance's feeds.
pub(crate) struct Living {
    pub(crate) store: Store,
    pub(crate) feeds: Feeds,
}

impl Living {
    /// Boots, again and again where the keeper does not answer.
    pub(crate) async fn begin(keeper: &Arc<Keeper>, world: &Arc<World>) -> Self {
        loop {
            let Ok(store) = Store::open(keeper.clone(), keeper::keys(1), keeper::busy()).await else {
                continue;
            };
            let clock = Arc::clone(world);
            let parts = FeedsParts {
                store: store.clone(),
                now_ms: Arc::new(move || clock.now_ms.load(Ordering::SeqCst)),
                web: world.clone(),
                tenants: world.clone(),
                signer: world.clone(),
            };
            if let Ok(feeds) = Feeds::start(parts).await {
                return Self { store, feeds };
            }
        }
    }

    pub(crate) async fn shown(&self, name: &str) -> Feed {
        self.feeds.show(ALICE, name).await.unwrap()
    }

    pub(crate) async fn sequence(&self, name: &str) -> u64 {
        self.shown(name).await.latest.map_or(0, |report| report.sequence)
    }
}

/// A feed of seven venues that publishes each move.
pub(crate) fn feed(more: &Value) -> SetFeed {
    let sources: Vec<Value> = (0..7)
        .map(|at| {
            let url = format!("https://{}/{{pair}}", host(at));
            let time = json!({ "path": "t", "unit": "ms" });
            json!({ "id": format!("v{at}"), "url": url, "pair": "{BASE}{QUOTE}", "price": "p", "time": time, "weight": 1 })
        })
        .collect();
    let mut feed = json!({
        "pair": "BTC/USD",
        "sources": sources,
        "policy": { "decimals": 2, "deviation_bps": 1, "heartbeat_ms": 3_600_000, "max_jump_bps": 5_000 },
        "interval_ms": INTERVAL_MS,
        "timeout_ms": 500,
        "targets": [TARGET],
    });
    feed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(feed).unwrap()
}
