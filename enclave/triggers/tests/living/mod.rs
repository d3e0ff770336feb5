//! Triggers over a keeper in memory, and a chain and a feed that do as they are told, which outlive them as all the world outside does.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod feed;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r3e_jobs::{BoxFuture, Jobs};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::triggers::{Chain, Definition};
use r3e_store::Store;
use r3e_triggers::{NotRead, Place, Seen, Stretch, Triggers, TriggersParts};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) use self::feed::OneFeed;
use crate::keeper::Keeper;
use crate::world::{Life, Outside};

/// Functions and secrets of everybody's, and the one chain and the one feed that there are.
#[derive(Default)]
pub(crate) struct House {
    pub(crate) secret: Mutex<Option<String>>,
    pub(crate) is_suspended: Mutex<bool>,
    pub(crate) chain: Mutex<OneChain>,
    pub(crate) feed: OneFeed,
    /// The next look at the chain, or the feed, meets a defect.
    pub(crate) panics: AtomicBool,
}

/// A chain: blocks with numbers in them, each block with an id of its own.
#[derive(Default)]
pub(crate) struct OneChain {
    blocks: Vec<(u64, Vec<u64>)>,
    ids: u64,
    /// Nobody answers.
    pub(crate) is_down: bool,
    /// How often it was read.
    pub(crate) reads: u64,
}

/// What is read at once.
const STRETCH_BLOCKS: usize = 3;
const STRETCH_EVENTS: usize = 4;

pub(crate) struct Living {
    pub(crate) store: Store,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) triggers: Triggers,
}

pub(crate) async fn begin(keeper: &Arc<Keeper>, outside: &Arc<Outside>, house: &Arc<House>) -> Living {
    let Life { store, jobs } = Life::begin(keeper, outside).await;
    let jobs = Arc::new(jobs);
    let triggers = loop {
        let clock = Arc::clone(outside);
        let parts = TriggersParts {
            store: store.clone(),
            now_ms: Box::new(move || clock.now_ms()),
            jobs: Arc::clone(&jobs),
            outside: Arc::clone(house) as Arc<dyn r3e_triggers::Outside>,
            chains: Arc::clone(house) as Arc<dyn r3e_triggers::Chains>,
            prices: Arc::clone(house) as Arc<dyn r3e_triggers::Prices>,
        };
        if let Ok(triggers) = Triggers::start(parts).await {
            break triggers;
        }
    };
    Living { store, jobs, triggers }
}

pub(crate) fn definition(value: Value) -> Definition {
    serde_json::from_value(value).unwrap()
}

impl r3e_triggers::Outside for House {
    fn has_function<'a>(&'a self, _: TenantId, function: &'a str) -> BoxFuture<'a, Result<bool, String>> {
        Box::pin(async move { Ok(function != "nothing") })
    }

    fn is_active(&self, _: TenantId) -> BoxFuture<'_, Result<bool, String>> {
        Box::pin(async move { Ok(!*self.is_suspended.lock().unwrap()) })
    }

    fn secret<'a>(
        &'a self,
        _: TenantId,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<String>>, String>> {
        Box::pin(async move { Ok(self.secret.lock().unwrap().clone().map(Zeroizing::new)) })
    }
}

impl r3e_triggers::Chains for House {
    fn check(&self, chain: &Chain) -> Result<(), String> {
        if chain.network == "eip155:1" { Ok(()) } else { Err(format!("no {}", chain.network)) }
    }

    fn begin<'a>(&'a self, _: &'a Chain, from: Option<u64>) -> BoxFuture<'a, Result<Place, NotRead>> {
        Box::pin(async move {
            let chain = self.chain.lock().unwrap();
            chain.up()?;
            let at = from.map_or(chain.blocks.len(), |from| usize::try_from(from).unwrap());
            Ok(Spot { tail: Vec::new(), at, given: 0 }.place())
        })
    }

    fn read<'a>(&'a self, _: &'a Chain, cursor: &'a str) -> BoxFuture<'a, Result<Stretch, NotRead>> {
        Box::pin(async move {
            // Others come between.
            tokio::task::yield_now().await;
            assert!(!self.panics.swap(false, Ordering::SeqCst), "a defect");
            let mut chain = self.chain.lock().unwrap();
            chain.reads += 1;
            chain.up()?;
            chain.read(Spot::parse(cursor))
        })
    }

    fn pause(&self, _: &Chain) -> Duration {
        Duration::from_millis(1)
    }
}

/// A cursor: the ids of the blocks that were read, and how far.
struct Spot {
    tail: Vec<(usize, u64)>,
    at: usize,
    given: usize,
}

impl Spot {
    fn parse(text: &str) -> Self {
        let (tail, at, given) = serde_json::from_str(text).unwrap();
        Self { tail, at, given }
    }

    fn place(&self) -> Place {
        let cursor = json!([self.tail, self.at, self.given]).to_string();
        Place { cursor, next_block: self.at as u64 }
    }
}

impl OneChain {
    pub(crate) fn mine(&mut self, numbers: impl IntoIterator<Item = u64>) {
        self.ids += 1;
        self.blocks.push((self.ids, numbers.into_iter().collect()));
    }

    /// The last blocks were never there.
    pub(crate) fn forget(&mut self, blocks: usize) {
        self.blocks.truncate(self.blocks.len() - blocks);
    }

    fn up(&self) -> Result<(), NotRead> {
        if self.is_down { Err(NotRead::Unavailable("nobody answers".into())) } else { Ok(()) }
    }

    fn read(&self, mut at: Spot) -> Result<Stretch, NotRead> {
        let stands =
            |(height, id): &(usize, u64)| self.blocks.get(*height).is_some_and(|block| block.0 == *id);
        if !at.tail.last().is_none_or(stands) {
            let tail: Vec<_> = at.tail.iter().copied().take_while(stands).collect();
            let common = tail.last().map(|last| last.0 + 1);
            let common = common.map(|at| Spot { tail, at, given: 0 }.place());
            return Err(NotRead::Reorganised { why: "reorganised".into(), common });
        }
        let (mut seen, first) = (Vec::new(), at.at);
        while let Some((id, numbers)) = self.blocks.get(at.at) {
            if at.at - first >= STRETCH_BLOCKS {
                break;
            }
            for number in numbers.iter().skip(at.given) {
                if seen.len() >= STRETCH_EVENTS {
                    return Ok(Stretch { seen, end: at.place(), more: true });
                }
                at.given += 1;
                let members = format!("\"number\":{number}}}");
                seen.push(Seen { key: format!("k{number}"), members, behind: at.place() });
            }
            at.tail.push((at.at, *id));
            (at.at, at.given) = (at.at + 1, 0);
        }
        let more = at.at < self.blocks.len();
        Ok(Stretch { seen, end: at.place(), more })
    }
}
