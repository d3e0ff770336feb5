//! Connections that are kept for who asks the same server again: some for each server, for a moment, and none for long.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::{Instant, sleep};

use crate::exchange::Connection;
use crate::limits::{MAX_CONNECTION_AGE, MAX_IDLE, MAX_KEPT, MAX_KEPT_OF_ONE};

/// A server, and how long the head of its answer may be: a connection is bound to that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) max_header_bytes: usize,
}

/// Those that are kept, of each server the one that was used last behind the others.
#[derive(Default)]
pub(crate) struct Kept(Arc<Shared>);

#[derive(Default)]
struct Shared {
    idle: Mutex<HashMap<Server, VecDeque<Idle>>>,
    is_swept: AtomicBool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Kept {
    /// The one of them to a server that was used last.
    pub(crate) fn take(&self, server: &Server) -> Option<Connection> {
        let mut kept = self.lock();
        sweep(&mut kept);
        let idle = kept.get_mut(server)?.pop_back()?;
        Some(idle.connection)
    }

    /// Keeps one whose answer was read to its end.
    pub(crate) fn put(&self, server: Server, connection: Connection) {
        let mut kept = self.lock();
        sweep(&mut kept);
        if kept.values().map(VecDeque::len).sum::<usize>() >= MAX_KEPT {
            drop_oldest(&mut kept);
        }
        let of_one = kept.entry(server).or_default();
        if of_one.len() >= MAX_KEPT_OF_ONE {
            of_one.pop_front();
        }
        of_one.push_back(Idle { connection, since: Instant::now() });
        if !self.0.is_swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(keep_sweeping(Arc::downgrade(&self.0)));
        }
    }

    /// That what is kept of a server may be dead: until it is [`Doubt::over`], and where it never is, all of it is dropped.
    pub(crate) fn doubt(&self, server: &Server) -> Doubt<'_> {
        Doubt { kept: self, server: Some(server.clone()) }
    }

    /// Makes room for another connection. Whether there was one to give up.
    pub(crate) fn give_way(&self) -> bool {
        drop_oldest(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Server, VecDeque<Idle>>> {
        self.0.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<Server, VecDeque<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as some are kept: nobody may ask any more.
async fn keep_sweeping(shared: Weak<Shared>) {
    loop {
        sleep(MAX_IDLE).await;
        let Some(shared) = shared.upgrade() else { return };
        let mut kept = shared.lock();
        sweep(&mut kept);
        if kept.is_empty() {
            shared.is_swept.store(false, Ordering::Release);
            return;
        }
    }
}

/// A connection is tried that may be dead, as the others of its server then are: whoever has them next would wait in vain.
pub(crate) struct Doubt<'a> {
    kept: &'a Kept,
    server: Option<Server>,
}

impl Doubt<'_> {
    /// It answered.
    pub(crate) fn over(mut self) {
        self.server = None;
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            self.kept.lock().remove(server);
        }
    }
}

/// Drops those that ended, that waited too long, or that are too old: a server's certificate is looked at once for each.
fn sweep(kept: &mut HashMap<Server, VecDeque<Idle>>) {
    let now = Instant::now();
    kept.retain(|_, of_one| {
        of_one.retain(|idle| {
            let age = now.duration_since(idle.connection.opened());
            idle.connection.is_open() && age < MAX_CONNECTION_AGE && now.duration_since(idle.since) < MAX_IDLE
        });
        !of_one.is_empty()
    });
}

fn drop_oldest(kept: &mut HashMap<Server, VecDeque<Idle>>) -> bool {
    let since = |(server, of_one): (&Server, &VecDeque<Idle>)| Some((of_one.front()?.since, server.clone()));
    let oldest = kept.iter().filter_map(since).min_by_key(|(since, _)| *since);
    let Some((_, server)) = oldest else { return false };
    kept.get_mut(&server).and_then(VecDeque::pop_front).is_some()
}
