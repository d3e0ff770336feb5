//! Peers in memory, for tests: each remembers as a witness does, and a parent between them and a process lets questions and
//! commits through, or not.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use r3e_keys::RootSecret;
use tokio::sync::RwLock;
use zeroize::Zeroizing;

use super::super::line::Problem;
use super::*;

/// What a peer remembers.
#[derive(Default)]
pub(super) struct Fake {
    held: Mutex<Option<Commit>>,
    /// Held for writing, it stops every answer.
    pub(super) gate: RwLock<()>,
}

impl Fake {
    pub(super) fn held(&self) -> Option<Commit> {
        *self.held.lock().unwrap()
    }

    /// Has it remember a commit of another process.
    pub(super) fn hold(&self, commit: Commit) {
        *self.held.lock().unwrap() = Some(commit);
    }

    fn record(&self, commit: Commit) -> Commit {
        let mut held = self.held.lock().unwrap();
        match *held {
            Some(last) if last.sequence >= commit.sequence => last,
            _ => *held.insert(commit),
        }
    }
}

/// What a parent lets through to which peers, as bits.
#[derive(Default)]
pub(super) struct Way {
    pub(super) questions: AtomicU32,
    pub(super) commits: AtomicU32,
}

impl Way {
    pub(super) fn open(questions: u32, commits: u32) -> Arc<Self> {
        Arc::new(Self { questions: questions.into(), commits: commits.into() })
    }

    pub(super) fn close(&self) {
        self.questions.store(0, Ordering::SeqCst);
        self.commits.store(0, Ordering::SeqCst);
    }
}

struct FakeLine {
    place: u32,
    peer: Arc<Fake>,
    way: Arc<Way>,
}

impl PeerLine for FakeLine {
    async fn ask(&mut self, task: Task) -> Result<Option<Commit>, Problem> {
        tokio::task::yield_now().await;
        let lets = match task {
            Task::Last => &self.way.questions,
            Task::Record(..) => &self.way.commits,
        };
        if lets.load(Ordering::SeqCst) & (1 << self.place) == 0 {
            return Err(Problem::Slow);
        }
        let _open = self.peer.gate.read().await;
        Ok(match task {
            Task::Last => self.peer.held(),
            Task::Record(commit, _) => Some(self.peer.record(commit)),
        })
    }

    fn hang_up(&mut self) {}
}

/// A process's peers: so many of each list of places.
pub(super) fn peers(all: &[Arc<Fake>], lists: &[(usize, &[usize])], way: &Arc<Way>, ping: Duration) -> Peers {
    let key = WitnessKey::of(&RootSecret::from_recovered(&Zeroizing::new([1; 32]))).unwrap();
    let mut asked: Vec<usize> = lists.iter().flat_map(|(_, peers)| peers.iter().copied()).collect();
    asked.sort_unstable();
    asked.dedup();
    let list = |(threshold, peers): &(usize, &[usize])| {
        let place = |peer: &usize| asked.binary_search(peer).unwrap();
        List { threshold: *threshold, peers: peers.iter().map(place).collect() }
    };
    let line = |place: &usize| {
        let called = Called { name: format!("p{place}"), host: format!("p{place}.example:443") };
        let peer = Arc::clone(&all[*place]);
        (called, FakeLine { place: u32::try_from(*place).unwrap(), peer, way: Arc::clone(way) })
    };
    let shared = Shared { ours: Ours::new(), time: Box::new(|| 0), ping };
    Peers::over(
        lists.iter().map(list).collect(),
        asked.iter().map(line).collect(),
        Arc::new(Identity::new(Arc::new(key))),
        shared,
    )
}
