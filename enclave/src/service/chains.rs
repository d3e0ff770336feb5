//! Chains, as triggers follow them and functions read them: the networks of the configuration, each with its nodes.

#[cfg(test)]
mod counting;
mod for_functions;
mod looks;
mod nodes;
mod recent;
mod resting;
mod sending;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_chain::evm::Hash32;
use r3e_chain::follow::{Batch, Cursor, FollowError, NextError, Rules};
use r3e_chain::limits::MAX_CONFIRMATIONS;
use r3e_chain::rpc::{AnswerError, JsonError, Quorum, QuorumError, RpcError, Said, Statement};
use r3e_chain::watch::{self, Network, NetworkError, Watch};
use r3e_egress::limits::MAX_CONNECTIONS;
use r3e_jobs::BoxFuture;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::triggers::{Chain, DEFAULT_EVM_CONFIRMATIONS};
use r3e_transport::EnclaveTransport;
use r3e_triggers::{NotRead, Place, Seen, Stretch};
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};

pub(crate) use self::for_functions::ForFunctions;
use self::for_functions::LastHeight;
use self::nodes::OVER_LONG;
pub(crate) use self::nodes::{HttpsNodes, quorum_of};
use self::recent::Recent;
use self::resting::Resting;
pub(crate) use self::sending::{NeoSending, Sending};
use super::ServiceError;
use super::egress::open_egress;
use super::turns::Turns;
use crate::configuration::{ChainChoice, Configuration};
use crate::limits::{
    CHAIN_READS_AT_ONCE, CONTRACT_READS_AT_ONCE, MAX_CONTRACT_READS, MAX_CONTRACT_READS_WAITING,
    MAX_RECENT_MOMENT, STRETCH_BLOCKS, STRETCH_EVENTS, STRETCH_TEXT_BYTES,
};
pub(crate) use r3e_transactions::in_words;

/// The chains that can be followed and read.
pub(crate) struct Chains(BTreeMap<Network, Arc<Followed>>);

type Shared = Recent<Resting<HttpsNodes>>;

/// One of them.
struct Followed {
    nodes: Quorum<Arc<Shared>>,
    recent: Arc<Shared>,
    /// The nodes were asked which network they are of, and it is this one.
    is_right: OnceCell<()>,
    /// Of many triggers, so many at a time.
    reads: Semaphore,
    /// And of tenants who look at it.
    looks: Semaphore,
    /// The nodes once more, as functions' calls are put to them.
    calls: Quorum<HttpsNodes>,
    /// Of all tenants: each takes a connection to each node.
    calls_at_once: Semaphore,
    /// A tenant's share of them, so that it takes several who wait long to have others wait.
    turns: Turns<TenantId>,
    last_height: LastHeight,
    pause: Duration,
}

impl Chains {
    /// Their networks, as CAIP-2 names them.
    pub(crate) fn networks(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }

    /// Those of the configuration.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: there is no way out.
    pub(crate) fn open(
        transport: &EnclaveTransport,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let internal = |error: &dyn std::fmt::Display| ServiceError::Internal(error.to_string());
        let mut chains = BTreeMap::new();
        for chain in configuration.chains() {
            let ChainChoice { network, nodes, agree, poll } = chain;
            // A way out of its own: silent nodes of one take no connection from another.
            let egress = open_egress(transport.clone(), configuration, clock)?;
            let https = HttpsNodes::new(egress, nodes).map_err(|error| internal(&error))?;
            let recent = Arc::new(Recent::new(Resting::new(https), (*poll / 2).min(MAX_RECENT_MOMENT)));
            let quorum = Quorum::new(Arc::clone(&recent), nodes.len(), *agree);
            let at_once = (MAX_CONNECTIONS / nodes.len().max(1)).min(MAX_CONTRACT_READS);
            let followed = Followed {
                nodes: quorum.map_err(|error| internal(&error))?,
                recent,
                is_right: OnceCell::new(),
                reads: Semaphore::new(CHAIN_READS_AT_ONCE),
                looks: Semaphore::new(CHAIN_READS_AT_ONCE),
                calls: quorum_of(chain, transport, configuration, clock)?,
                calls_at_once: Semaphore::new(at_once),
                turns: Turns::several(
                    (at_once / 4).clamp(1, CONTRACT_READS_AT_ONCE),
                    MAX_CONTRACT_READS_WAITING,
                ),
                last_height: LastHeight::default(),
                pause: *poll,
            };
            chains.insert(*network, Arc::new(followed));
        }
        Ok(Self(chains))
    }

    fn followed(&self, network: Network) -> Result<&Followed, String> {
        self.0.get(&network).map(Arc::as_ref).ok_or_else(|| {
            let known: Vec<String> = self.0.keys().map(Network::to_string).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!("this appliance has no nodes of {network}; it has those of: {known}")
        })
    }

    /// What is looked for, and where.
    fn found(&self, chain: &Chain) -> Result<(Watch, &Followed), NotRead> {
        let watch = watched(chain).map_err(NotRead::Stuck)?;
        // Another configuration may have them again.
        let followed = self.followed(watch.network()).map_err(NotRead::Unavailable)?;
        Ok((watch, followed))
    }
}

impl r3e_triggers::Chains for Chains {
    fn check(&self, chain: &Chain) -> Result<(), String> {
        let watch = watched(chain)?;
        if chain.confirmations.is_some_and(|confirmations| confirmations > MAX_CONFIRMATIONS) {
            return Err(format!("at most {MAX_CONFIRMATIONS} confirmations"));
        }
        self.followed(watch.network()).map(|_| ())
    }

    fn begin<'a>(&'a self, chain: &'a Chain, from: Option<u64>) -> BoxFuture<'a, Result<Place, NotRead>> {
        Box::pin(async move {
            let (watch, followed) = self.found(chain)?;
            let height = match from {
                Some(height) => height,
                None => followed.height(&watch).await?.saturating_add(1),
            };
            Ok(place(&Cursor::at(height)))
        })
    }

    fn read<'a>(&'a self, chain: &'a Chain, cursor: &'a str) -> BoxFuture<'a, Result<Stretch, NotRead>> {
        Box::pin(async move {
            let (watch, followed) = self.found(chain)?;
            let from = Cursor::from_text(cursor).map_err(|error| NotRead::Stuck(error.to_string()))?;
            followed.read(&watch, from, confirmations(chain, &watch)).await
        })
    }

    fn pause(&self, chain: &Chain) -> Duration {
        let network = chain.network.parse().ok();
        network.and_then(|network| self.0.get(&network)).map_or(Duration::MAX, |followed| followed.pause)
    }
}

impl Followed {
    async fn height(&self, watch: &Watch) -> Result<u64, NotRead> {
        self.is_right(watch).await?;
        watch.height(&self.nodes).await.map_err(|error| unavailable(&error))
    }

    async fn read(&self, watch: &Watch, from: Cursor, confirmations: u32) -> Result<Stretch, NotRead> {
        let closed = |_| NotRead::Unavailable("the appliance stops".to_owned());
        let _turn = self.reads.acquire().await.map_err(closed)?;
        self.is_right(watch).await?;
        let rules = Rules { confirmations, blocks: STRETCH_BLOCKS, events: STRETCH_EVENTS };
        let mut read = watch.next(&self.nodes, from.clone(), rules).await;
        if let Err(NextError::Follow(FollowError::Reorganised { .. })) = &read {
            // Not by an answer that is a moment old.
            self.recent.forget();
            read = watch.next(&self.nodes, from.clone(), rules).await;
        }
        match read {
            Ok(batch) => Ok(stretch(from, batch)),
            Err(NextError::Source(error)) => Err(unavailable(&error)),
            Err(NextError::Follow(FollowError::Reorganised { confirmations, last, common })) => {
                let hash = Hash32(last.hash);
                let why = format!(
                    "the chain was reorganised below {confirmations} confirmations: block {} ({hash}) is not in it any more",
                    last.height
                );
                let common = common.map(|block| place(&Cursor::behind(block)));
                Err(NotRead::Reorganised { why, common })
            }
            Err(error @ NextError::Follow(FollowError::NotAsked)) => {
                Err(NotRead::Unavailable(error.to_string()))
            }
            Err(error) => Err(NotRead::Stuck(error.to_string())),
        }
    }

    async fn is_right(&self, watch: &Watch) -> Result<(), NotRead> {
        match self.is_right.get_or_try_init(|| watch.check_network(&self.nodes)).await {
            Ok(()) => Ok(()),
            Err(NetworkError::Nodes(error)) => Err(unavailable(&error)),
            Err(error) => {
                tracing::error!(%error, "[[chain]] names nodes of another network");
                Err(NotRead::Unavailable(error.to_string()))
            }
        }
    }
}

fn watched(chain: &Chain) -> Result<Watch, String> {
    let network = chain.network.parse::<Network>().map_err(|error| error.to_string())?;
    match (&chain.contract, &chain.event) {
        (Some(contract), Some(event)) => {
            Watch::new(network, contract, event).map_err(|error| error.to_string())
        }
        (None, None) => Ok(Watch::blocks(network)),
        _ => Err("a chain has both `contract` and `event`, or neither for each block".to_owned()),
    }
}

fn confirmations(chain: &Chain, watch: &Watch) -> u32 {
    chain.confirmations.unwrap_or(match watch.network() {
        Network::Eip155(_) => DEFAULT_EVM_CONFIRMATIONS,
        Network::NeoN3(_) => 0,
    })
}

/// What nodes say goes to the operator's log alone: their words may have something of their URLs.
fn unavailable(error: &QuorumError) -> NotRead {
    tracing::warn!(%error, "a chain's nodes do not agree");
    let QuorumError::Disagreement { method, needed, statements } = error else {
        return NotRead::Unavailable(error.to_string());
    };
    if statements.iter().filter(|one| is_over_a_limit(one)).count() >= *needed {
        return NotRead::Stuck(format!("what nodes answer to {method} is over a limit"));
    }
    NotRead::Unavailable(format!(
        "{needed} of the network's nodes must give the same answer to {method}, and do not"
    ))
}

/// The same would come again.
fn is_over_a_limit(statement: &Statement) -> bool {
    let Said::Failed(error) = &statement.said else { return false };
    match error {
        RpcError::Json(error) => {
            matches!(error, JsonError::TooLong { .. } | JsonError::TooDeep { .. } | JsonError::TooMany { .. })
        }
        RpcError::Answer(error) => matches!(error, AnswerError::TooMany { .. }),
        RpcError::Transport(error) => error.code == OVER_LONG,
        _ => false,
    }
}

fn place(cursor: &Cursor) -> Place {
    Place { cursor: cursor.to_text(), next_block: cursor.next() }
}

/// What was read, each event with the place behind it: so much of it as is not too long.
fn stretch(from: Cursor, batch: Batch<watch::Seen>) -> Stretch {
    let Batch { blocks, cursor: end, more } = batch;
    let (mut cursor, mut all, mut bytes) = (from, Vec::new(), 0);
    for read in blocks {
        let mut given = read.first;
        for watch::Seen { key, event } in read.events {
            if bytes >= STRETCH_TEXT_BYTES {
                return Stretch { seen: all, end: place(&cursor), more: true };
            }
            given = given.saturating_add(1);
            cursor.give(read.block.hash, given);
            let members = members(&event);
            bytes += members.len();
            all.push(Seen { key, members, behind: place(&cursor) });
        }
        if read.whole {
            cursor.advance(read.block.hash);
        }
    }
    Stretch { seen: all, end: place(&end), more }
}

/// An object's text without its first brace.
fn members(object: &Value) -> String {
    let text = object.to_string();
    text.strip_prefix('{').unwrap_or(&text).to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
