//! Answers that are shared. Triggers of many tenants ask about the same blocks at the same time: a node is asked once, and what it said,
//! or that it said nothing, stands for a moment.
//!
//! An answer that is a moment old is one that might have come late. What follows from it is held against the chain's hashes all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use r3e_chain::rpc::{Post, Posted, Transport, TransportError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::limits::MAX_RECENT_ANSWERS_BYTES;

type Answer = Result<Posted, TransportError>;

/// A transport that asks `inner` no question twice within a moment.
pub(super) struct Recent<T> {
    inner: T,
    moment: Duration,
    asked: Mutex<HashMap<Question, Asked>>,
}

/// Which node, what it is asked, by its digest, and how much of the answer is read.
type Question = (usize, [u8; SHA256_OUTPUT_LEN], usize);

struct Asked {
    at: Instant,
    answer: Arc<OnceCell<Answer>>,
}

impl<T> Recent<T> {
    pub(super) fn new(inner: T, moment: Duration) -> Self {
        Self { inner, moment, asked: Mutex::default() }
    }

    /// From here on all is asked anew.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    /// The answer's place, which is empty until it is there.
    fn place(&self, question: Question) -> Arc<OnceCell<Answer>> {
        let now = Instant::now();
        let mut asked = self.lock();
        asked.retain(|_, one| now.duration_since(one.at) < self.moment);
        if let Some(one) = asked.get(&question) {
            return Arc::clone(&one.answer);
        }
        while asked.values().map(Asked::bytes).sum::<usize>() > MAX_RECENT_ANSWERS_BYTES {
            let oldest = asked.iter().min_by_key(|(_, one)| one.at).map(|(question, _)| *question);
            drop(oldest.and_then(|question| asked.remove(&question)));
        }
        let answer = Arc::default();
        asked.insert(question, Asked { at: now, answer: Arc::clone(&answer) });
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Question, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn bytes(&self) -> usize {
        match self.answer.get() {
            Some(Ok(posted)) => posted.body.len(),
            _ => 0,
        }
    }
}

impl<T: Transport> Transport for Recent<T> {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(async move {
            let mut content = [0; SHA256_OUTPUT_LEN];
            content.copy_from_slice(digest(&SHA256, &body).as_ref());
            let place = self.place((endpoint, content, max_bytes));
            // Where who asked first gives up, the next one who waits asks.
            place.get_or_init(|| self.inner.post(endpoint, body, max_bytes)).await.clone()
        })
    }
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
                if endpoint == 9 {
                    return Err(TransportError { code: "timeout" });
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
        tokio::time::advance(Duration::from_millis(800)).await;
        assert_eq!(status(&recent, 0, "").await, 0);
        tokio::time::advance(Duration::from_millis(200)).await;
        assert_eq!(status(&recent, 0, "").await, 2);
        recent.forget();
        assert_eq!(status(&recent, 0, "").await, 3);
        // That there is no answer is an answer.
        for _ in 0..2 {
            assert!(recent.post(9, Vec::new(), 1).await.is_err());
        }
        assert_eq!(recent.inner.0.load(Ordering::SeqCst), 5);
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
        let kept: usize = recent.lock().values().map(Asked::bytes).sum();
        assert!(kept <= MAX_RECENT_ANSWERS_BYTES + MAX_RECENT_ANSWERS_BYTES / 2, "{kept}");
        assert_eq!(status(&recent, 0, "6").await, 5);
        assert_eq!(status(&recent, 0, "1").await, 6);
    }
}
