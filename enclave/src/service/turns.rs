//! Turns: one piece of work at a time for each tenant, or each wallet, or a few, and only so many that wait for it. Nobody waits for
//! another tenant's.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::ServiceError;

/// The turns of all that have work; who has none leaves no trace but a weak reference.
pub(super) struct Turns<K> {
    lines: Mutex<HashMap<K, Weak<Line>>>,
    /// Those of one line that have their turn at once.
    at_once: usize,
    /// Those who have their turn or wait for it.
    max_in_line: usize,
}

/// Who has a turn, and who waits for it.
struct Line {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// A turn, until it is dropped.
pub(super) struct Turn {
    _held: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _line: Arc<Line>,
}

impl Turn {
    /// The same, which is over no sooner than after so long, whenever it is dropped.
    pub(super) fn for_at_least(self, least: Duration) -> Arc<Self> {
        let turn = Arc::new(self);
        let held = Arc::clone(&turn);
        tokio::spawn(async move {
            sleep(least).await;
            drop(held);
        });
        turn
    }
}

impl<K: Eq + Hash> Turns<K> {
    /// With room for so many in each line.
    pub(super) fn new(max_in_line: usize) -> Self {
        Self::several(1, max_in_line)
    }

    /// With so many turns at once in each line, and room for so many.
    pub(super) fn several(at_once: usize, max_in_line: usize) -> Self {
        Self { lines: Mutex::default(), at_once, max_in_line }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] where as many wait as may.
    pub(super) async fn take(&self, of: K) -> Result<Turn, ServiceError> {
        let line = self.line(of);
        let place = Arc::clone(&line.places).try_acquire_owned().map_err(|_| {
            let message =
                format!("{} requests of this kind wait already; try again in a second", self.max_in_line);
            ServiceError::Busy(message)
        })?;
        let closed = |_| ServiceError::Internal("the line is closed".to_owned());
        let turn = Arc::clone(&line.turns).acquire_owned().await.map_err(closed)?;
        Ok(Turn { _held: turn, _place: place, _line: line })
    }

    fn line(&self, of: K) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&of).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let (turns, places) = (Semaphore::new(self.at_once), Semaphore::new(self.max_in_line));
        let line = Arc::new(Line { turns: Arc::new(turns), places: Arc::new(places) });
        lines.insert(of, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_of_each_and_nobody_waits_for_another() {
        let turns = Turns::new(2);
        let first = turns.take("a").await.unwrap();
        assert!(turns.take("b").await.is_ok());
        assert!(timeout(Duration::from_millis(20), turns.take("a")).await.is_err());
        drop(first);
        assert!(turns.take("a").await.is_ok());
    }

    #[tokio::test]
    async fn several_at_a_time_of_each() {
        let turns = Turns::several(2, 4);
        let _first = turns.take(1).await.unwrap();
        let second = turns.take(1).await.unwrap();
        assert!(timeout(Duration::from_millis(20), turns.take(1)).await.is_err());
        drop(second);
        assert!(turns.take(1).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_lasts_as_long_as_it_is_held_and_no_shorter_than_it_must() {
        let (turns, least) = (Turns::new(4), Duration::from_secs(1));
        let wait = async |longest| timeout(longest, turns.take(1)).await.ok();
        drop(turns.take(1).await.unwrap().for_at_least(least));
        assert!(wait(least / 2).await.is_none());
        let long = wait(least).await.unwrap().unwrap().for_at_least(least);
        assert!(wait(least * 5).await.is_none());
        drop(long);
        assert!(wait(least / 2).await.is_some());
    }

    #[tokio::test]
    async fn the_line_has_an_end_and_who_leaves_it_makes_room() {
        let turns = Arc::new(Turns::new(3));
        let first = turns.take(1).await.unwrap();
        let waiting: Vec<_> = (0..2)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move { turns.take(1).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(turns.take(1).await, Err(ServiceError::Busy(_))));
        // Another line is as long as ever.
        assert!(turns.take(2).await.is_ok());
        let [gone, stays] = <[_; 2]>::try_from(waiting).unwrap();
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let again = timeout(Duration::from_millis(20), turns.take(1)).await;
        assert!(again.is_err(), "there is a place again, though no turn");
        drop(first);
        stays.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_forgotten() {
        let turns = Turns::new(1);
        for number in 0..1_000 {
            drop(turns.take(number).await.unwrap());
        }
        assert_eq!(turns.lines.lock().unwrap().len(), 1);
    }
}
