//! Answers that are shared. Triggers of many tenants ask about the same blocks at the same time: a node is asked once, and what it said
//! stands for a moment. A node that took too long is left alone for a while: its silence is its answer to all that is asked meanwhile,
//! so that it does not hold up what the others agree on.
//!
//! An answer that is a moment old is one that might have come late. What follows from it is held against the chain's hashes all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use r3e_chain::rpc::{Post, Posted, Transport, TransportError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::limits::{MAX_RECENT_ANSWERS_BYTES, NODE_REST};

type Answer = Result<Posted, TransportError>;

/// What a transport's error is called where the node took too long.
pub(super) const SILENT: &str = "timeout";
/// What it is called where there was no room here: that is no answer of the node's.
pub(super) const NO_ROOM: &str = "busy";

/// A transport that asks `inner` no question twice within a moment.
pub(super) struct Recent<T> {
    inner: T,
    moment: Duration,
    asked: Mutex<HashMap<Question, Place>>,
    /// Until when nodes are left alone.
    resting: Mutex<HashMap<usize, Instant>>,
}

/// Where an answer will be, with when it came.
type Place = Arc<OnceCell<(Instant, Answer)>>;

/// Which node, what it is asked, by its digest, and how much of the answer is read.
type Question = (usize, [u8; SHA256_OUTPUT_LEN], usize);

impl<T> Recent<T> {
    pub(super) fn new(inner: T, moment: Duration) -> Self {
        Self { inner, moment, asked: Mutex::default(), resting: Mutex::default() }
    }

    /// From here on all is asked anew.
    pub(super) fn forget(&self) {
        lock(&self.asked).clear();
    }

    fn place(&self, question: Question) -> Place {
        let now = Instant::now();
        let mut asked = lock(&self.asked);
        // What is on its way stays while somebody waits for it.
        asked.retain(|_, place| match place.get() {
            Some((at, _)) => now.duration_since(*at) < self.moment,
            None => Arc::strong_count(place) > 1,
        });
        if let Some(place) = asked.get(&question) {
            return Arc::clone(place);
        }
        while asked.values().map(bytes).sum::<usize>() > MAX_RECENT_ANSWERS_BYTES {
            let came = |(question, place): (&Question, &Place)| Some((place.get()?.0, *question));
            let Some((_, oldest)) = asked.iter().filter_map(came).min() else { break };
            asked.remove(&oldest);
        }
        let place = Place::default();
        asked.insert(question, Arc::clone(&place));
        place
    }

    fn is_resting(&self, node: usize) -> bool {
        lock(&self.resting).get(&node).is_some_and(|until| Instant::now() < *until)
    }
}

impl<T: Transport> Recent<T> {
    async fn ask(&self, node: usize, body: Vec<u8>, max_bytes: usize) -> (Instant, Answer) {
        if self.is_resting(node) {
            return (Instant::now(), Err(TransportError { code: SILENT }));
        }
        let answer = self.inner.post(node, body, max_bytes).await;
        let now = Instant::now();
        match answer {
            Err(TransportError { code: SILENT }) => drop(lock(&self.resting).insert(node, now + NODE_REST)),
            _ => drop(lock(&self.resting).remove(&node)),
        }
        (now, answer)
    }
}

impl<T: Transport> Transport for Recent<T> {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(async move {
            let mut content = [0; SHA256_OUTPUT_LEN];
            content.copy_from_slice(digest(&SHA256, &body).as_ref());
            let question = (endpoint, content, max_bytes);
            let place = self.place(question);
            // Where who asked first gives up, the next one who waits asks.
            let (_, answer) = place.get_or_init(|| self.ask(endpoint, body, max_bytes)).await;
            if matches!(answer, Err(TransportError { code: NO_ROOM })) {
                lock(&self.asked).remove(&question);
            }
            answer.clone()
        })
    }
}

fn bytes(place: &Place) -> usize {
    match place.get() {
        Some((_, Ok(posted))) => posted.body.len(),
        _ => 0,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Says how often it was asked, after a while.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Transport for Counting {
        fn post(&self, endpoint: usize, body: Vec<u8>, _: usize) -> Post<'_> {
            Box::pin(async move {
                let count = self.0.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100)).await;
                let failures = [(7, NO_ROOM), (8, "connection_refused"), (9, SILENT)];
                if let Some((_, code)) = failures.iter().find(|(node, _)| *node == endpoint) {
                    return Err(TransportError { code });
                }
                let big = if body.is_empty() { 0 } else { MAX_RECENT_ANSWERS_BYTES / 2 };
                Ok(Posted { status: u16::try_from(count).unwrap(), body: vec![0; big] })
            })
        }
    }

    async fn status(recent: &Recent<Counting>, endpoint: usize, body: &str) -> u16 {
        recent.post(endpoint, body.into(), 1).await.unwrap().status
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_asked_once_a_moment() {
        let recent = Recent::new(Counting::default(), Duration::from_secs(1));
        let (one, other, third) =
            tokio::join!(status(&recent, 0, ""), status(&recent, 0, ""), status(&recent, 1, ""));
        assert_eq!((one, other, third), (0, 0, 1));
        // Since the answer came, not since it was asked for.
        tokio::time::advance(Duration::from_millis(950)).await;
        assert_eq!(status(&recent, 0, "").await, 0);
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_eq!(status(&recent, 0, "").await, 2);
        recent.forget();
        assert_eq!(status(&recent, 0, "").await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_silent_is_left_alone_for_a_while() {
        let recent = Recent::new(Counting::default(), Duration::from_secs(1));
        let ask = async |node: usize, body: &str| recent.post(node, body.into(), 1).await.unwrap_err().code;
        let count = || recent.inner.0.load(Ordering::SeqCst);
        for body in ["", "1", "2"] {
            assert_eq!(ask(9, body).await, SILENT);
        }
        assert_eq!(count(), 1, "whatever is asked");
        tokio::time::advance(NODE_REST).await;
        assert_eq!(ask(9, "3").await, SILENT);
        assert_eq!(count(), 2);
        // One that refuses is asked what was not asked yet; and that there is no room here is no answer of its.
        for (node, asked) in [(8, 2), (7, 3)] {
            let before = count();
            for body in ["", "", "1"] {
                ask(node, body).await;
            }
            assert_eq!(count() - before, asked, "{node}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_no_answer_from_the_others() {
        let recent = Recent::new(Counting::default(), Duration::from_secs(1));
        let first = tokio::time::timeout(Duration::from_millis(50), status(&recent, 0, ""));
        let (first, second) = tokio::join!(first, status(&recent, 0, ""));
        assert!(first.is_err());
        assert_eq!(second, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded() {
        let recent = Recent::new(Counting::default(), Duration::from_hours(1));
        for body in ["1", "2", "3", "4", "5", "6"] {
            status(&recent, 0, body).await;
        }
        let kept: usize = lock(&recent.asked).values().map(bytes).sum();
        assert!(kept <= MAX_RECENT_ANSWERS_BYTES + MAX_RECENT_ANSWERS_BYTES / 2, "{kept}");
        assert_eq!(status(&recent, 0, "6").await, 5);
        assert_eq!(status(&recent, 0, "1").await, 6);
    }
}
