//! Answers that are shared. Triggers of many tenants ask about the same blocks at the same time: a node is asked once, and what it said
//! stands for a moment.
//!
//! An answer that is a moment old is one that might have come late. What follows from it is held against the chain's hashes all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use r3e_chain::rpc::{Post, Posted, Transport, TransportError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::lock;
use crate::limits::MAX_RECENT_ANSWERS_BYTES;

type Answer = Result<Posted, TransportError>;

/// What it is called where there was no room here: that is no answer of the node's.
pub(super) const NO_ROOM: &str = "busy";

/// A transport that asks `inner` no question twice within a moment.
pub(super) struct Recent<T> {
    inner: T,
    moment: Duration,
    asked: Mutex<HashMap<Question, Place>>,
}

/// Where an answer will be, with when it came.
type Place = Arc<OnceCell<(Instant, Answer)>>;

/// Which node, what it is asked, by its digest, and how much of the answer is read.
type Question = (usize, [u8; SHA256_OUTPUT_LEN], usize);

impl<T> Recent<T> {
    pub(super) fn new(inner: T, moment: Duration) -> Self {
        Self { inner, moment, asked: Mutex::default() }
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
}

impl<T: Transport> Transport for Recent<T> {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(async move {
            let mut content = [0; SHA256_OUTPUT_LEN];
            content.copy_from_slice(digest(&SHA256, &body).as_ref());
            let question = (endpoint, content, max_bytes);
            let place = self.place(question);
            // Where who asked first gives up, the next one who waits asks.
            let ask = async || {
                let answer = self.inner.post(endpoint, body, max_bytes).await;
                (Instant::now(), answer)
            };
            let (_, answer) = place.get_or_init(ask).await;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::counting::Counting;
    use super::*;

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
    async fn that_there_was_no_room_here_is_no_answer_of_the_nodes() {
        let recent = Recent::new(Counting::default(), Duration::from_secs(1));
        for (node, asked) in [(Counting::REFUSES, 2), (Counting::FULL, 3)] {
            let before = recent.inner.0.load(Ordering::SeqCst);
            for body in ["", "", "1"] {
                assert!(recent.post(node, body.into(), 1).await.is_err());
            }
            assert_eq!(recent.inner.0.load(Ordering::SeqCst) - before, asked, "{node}");
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
