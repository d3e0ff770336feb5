//! Who may start now, who waits, and who is turned away, where several share one number of places: fair by turns.
//!
//! Each key (a tenant, a function) has a line of its own, first come first served. A place that becomes free goes to the
//! keys with a line in turn, one event each, so that a key with a long line delays the others by one event a turn, whatever
//! its length. A key at its own bound is passed over until one of its events ends. Where all the waiting room is taken, the
//! last of the longest line makes room for a key whose line is shorter.
//!
//! It knows nothing of what runs behind it.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Bounds of a turnstile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Events inside at once, of all keys together.
    pub(crate) places: usize,
    /// Events that wait, of all keys together.
    pub(crate) max_waiting: usize,
    /// Of them, those of one key.
    pub(crate) max_waiting_of_one: usize,
    /// How long one waits.
    pub(crate) max_wait: Duration,
}

/// No place was free in time, or as many wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TurnedAway;

/// Places that are given by turns.
#[derive(Debug)]
pub(crate) struct Turnstile<K: Key>(Arc<Inner<K>>);

/// What lines are told apart by.
pub(crate) trait Key: Eq + Hash + Clone + Debug + Send + 'static {}
impl<K: Eq + Hash + Clone + Debug + Send + 'static> Key for K {}

/// A place inside, until dropped.
#[derive(Debug)]
pub(crate) struct Permit<K: Key> {
    inner: Arc<Inner<K>>,
    key: K,
    since: Instant,
}

#[derive(Debug)]
struct Inner<K: Key> {
    bounds: Bounds,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    inside: usize,
    waiting: usize,
    lines: HashMap<K, Line>,
    /// The keys with a line; the first one's turn is next.
    turns: VecDeque<K>,
    /// How long an event stays inside.
    stay: Average,
    next_number: u64,
}

/// A key's events; there while it has any.
#[derive(Debug, Default)]
struct Line {
    inside: usize,
    waiting: VecDeque<Waiter>,
    stay: Average,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// Events of its key that may be inside at once, it among them.
    most: usize,
    admit: oneshot::Sender<()>,
}

/// A moving average: a tenth of it is the latest.
#[derive(Clone, Copy, Debug, Default)]
struct Average(Option<Duration>);

impl<K: Key> Turnstile<K> {
    /// With all places free.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let state = State {
            inside: 0,
            waiting: 0,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            stay: Average::default(),
            next_number: 0,
        };
        Self(Arc::new(Inner { bounds, state: Mutex::new(state) }))
    }

    /// Enters if that can be done at once; takes no place in a line.
    pub(crate) fn enter_at_once(&self, key: &K, most: usize) -> Option<Permit<K>> {
        let entered = self.0.lock().enter_at_once(&self.0.bounds, key, most);
        entered.then(|| self.0.permit(key.clone()))
    }

    /// Enters, at once or after a bounded wait, while fewer than `most` events of the key are inside.
    ///
    /// # Errors
    /// [`TurnedAway`].
    pub(crate) async fn enter(&self, key: &K, most: usize) -> Result<Permit<K>, TurnedAway> {
        let mut place = {
            let mut state = self.0.lock();
            if state.enter_at_once(&self.0.bounds, key, most) {
                drop(state);
                return Ok(self.0.permit(key.clone()));
            }
            let (number, admitted) = state.queue(&self.0.bounds, key, most).ok_or(TurnedAway)?;
            Place { inner: &self.0, key, number, admitted, is_taken: false }
        };
        match timeout(self.0.bounds.max_wait, &mut place.admitted).await {
            Ok(Ok(())) => {
                place.is_taken = true;
                Ok(self.0.permit(key.clone()))
            }
            // Made way for a shorter line, or waited long enough.
            Ok(Err(_)) | Err(_) => Err(TurnedAway),
        }
    }

    /// How long an event of the key's that came now would wait, as far as the latest ones tell: those before it in its line,
    /// and one of each other line for each of them, at the pace at which events have been leaving.
    pub(crate) fn expected_wait(&self, key: &K, most: usize) -> Duration {
        let state = self.0.lock();
        let line = state.lines.get(key);
        let ahead = line.map_or(0, |line| line.waiting.len()).saturating_add(1);
        let lines = state.turns.iter().filter(|waiting| *waiting != key).count().saturating_add(1);
        let own = line.and_then(|line| line.stay.0).or(state.stay.0).unwrap_or_default();
        let all = state.stay.0.unwrap_or_default();
        let is_full = state.inside >= self.0.bounds.places;
        drop(state);
        let by_own_bound = share(own, ahead, most);
        let by_all = if is_full {
            share(all, ahead.saturating_mul(lines), self.0.bounds.places)
        } else {
            Duration::ZERO
        };
        by_own_bound.max(by_all)
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.0.lock().waiting
    }
}

/// The time in which `events` leave, of `places` that stay so long each.
fn share(stay: Duration, events: usize, places: usize) -> Duration {
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    let places = u32::try_from(places.max(1)).unwrap_or(u32::MAX);
    stay.saturating_mul(events) / places
}

impl<K: Key> Inner<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn permit(self: &Arc<Self>, key: K) -> Permit<K> {
        Permit { inner: Arc::clone(self), key, since: Instant::now() }
    }

    fn leave(&self, key: &K, stay: Option<Duration>) {
        let mut state = self.lock();
        state.inside -= 1;
        if let Some(stay) = stay {
            state.stay.take(stay);
        }
        if let Some(line) = state.lines.get_mut(key) {
            line.inside -= 1;
            if let Some(stay) = stay {
                line.stay.take(stay);
            }
        }
        state.tidy(key);
        state.admit(self.bounds.places);
    }
}

impl<K: Key> State<K> {
    fn enter_at_once(&mut self, bounds: &Bounds, key: &K, most: usize) -> bool {
        let line = self.lines.get(key);
        let (inside, others) = line.map_or((0, 0), |line| (line.inside, line.waiting.len()));
        // Where a place is free, whoever waits in another line waits for its own key's bound.
        if self.inside >= bounds.places || inside >= most || others > 0 {
            return false;
        }
        self.inside += 1;
        self.lines.entry(key.clone()).or_default().inside += 1;
        true
    }

    /// A place in the key's line; none where there is no room to wait.
    fn queue(&mut self, bounds: &Bounds, key: &K, most: usize) -> Option<(u64, oneshot::Receiver<()>)> {
        let own = self.lines.get(key).map_or(0, |line| line.waiting.len());
        if own >= bounds.max_waiting_of_one {
            return None;
        }
        if self.waiting >= bounds.max_waiting {
            self.make_way_for(own)?;
        }
        let (admit, admitted) = oneshot::channel();
        let number = self.next_number;
        self.next_number += 1;
        self.lines.entry(key.clone()).or_default().waiting.push_back(Waiter { number, most, admit });
        self.waiting += 1;
        if own == 0 {
            self.turns.push_back(key.clone());
        }
        Some((number, admitted))
    }

    /// Turns away the last of the longest line, if it is longer than one of `own` would become.
    fn make_way_for(&mut self, own: usize) -> Option<()> {
        let longest =
            self.turns.iter().max_by_key(|key| self.lines.get(*key).map_or(0, |line| line.waiting.len()))?;
        let longest = longest.clone();
        let line = self.lines.get_mut(&longest).filter(|line| line.waiting.len() > own + 1)?;
        // Dropping its sender tells it.
        drop(line.waiting.pop_back());
        self.waiting -= 1;
        Some(())
    }

    /// Gives what is free to those who wait, one key after the other.
    fn admit(&mut self, places: usize) {
        let mut passed_over = 0;
        while self.inside < places && passed_over < self.turns.len() {
            let Some(key) = self.turns.pop_front() else { return };
            let Some(line) = self.lines.get_mut(&key) else { continue };
            let may = line.waiting.front().is_some_and(|first| line.inside < first.most);
            let first = if may { line.waiting.pop_front() } else { None };
            let is_waiting = !line.waiting.is_empty();
            if let Some(first) = first {
                self.waiting -= 1;
                // One that gave up meanwhile takes no place.
                if first.admit.send(()).is_ok() {
                    line.inside += 1;
                    self.inside += 1;
                }
                passed_over = 0;
            } else {
                passed_over += 1;
            }
            if is_waiting {
                self.turns.push_back(key);
            } else {
                self.tidy(&key);
            }
        }
    }

    /// Forgets a key without events.
    fn tidy(&mut self, key: &K) {
        if self.lines.get(key).is_some_and(|line| line.inside == 0 && line.waiting.is_empty()) {
            self.lines.remove(key);
        }
    }
}

impl Average {
    fn take(&mut self, latest: Duration) {
        self.0 = Some(self.0.map_or(latest, |before| (before.saturating_mul(9).saturating_add(latest)) / 10));
    }
}

impl<K: Key> Drop for Permit<K> {
    fn drop(&mut self) {
        self.inner.leave(&self.key, Some(self.since.elapsed()));
    }
}

/// One who waits, until dropped.
struct Place<'a, K: Key> {
    inner: &'a Inner<K>,
    key: &'a K,
    number: u64,
    admitted: oneshot::Receiver<()>,
    is_taken: bool,
}

impl<K: Key> Drop for Place<'_, K> {
    fn drop(&mut self) {
        if self.is_taken {
            return;
        }
        let mut state = self.inner.lock();
        let line = state.lines.get_mut(self.key);
        let gone = line.is_some_and(|line| {
            let at = line.waiting.iter().position(|waiter| waiter.number == self.number);
            at.and_then(|at| line.waiting.remove(at)).is_some()
        });
        if gone {
            state.waiting -= 1;
            if state.lines.get(self.key).is_some_and(|line| line.waiting.is_empty()) {
                state.turns.retain(|key| key != self.key);
            }
            state.tidy(self.key);
            // Who stood behind may ask for less than the one who left.
            state.admit(self.inner.bounds.places);
            return;
        }
        drop(state);
        // Admitted in the moment that it gave up: the place goes on to the next.
        if self.admitted.try_recv().is_ok() {
            self.inner.leave(self.key, None);
        }
    }
}

#[cfg(test)]
mod tests;
