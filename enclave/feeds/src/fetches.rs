//! What venues answer: one fetch for all who ask the same at the same time, each fetch bounded in time and length, all of them in number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use r3e_proto::api::identity::TenantId;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::limits::{FETCHES_AT_ONCE, FETCHES_OF_ONE};
use crate::outside::Web;

/// The appliance's clock.
pub(crate) type NowMs = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) url: String,
    pub(crate) max_bytes: usize,
    pub(crate) timeout_ms: u64,
}

/// An answer, and when it was there.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) body: Result<Bytes, String>,
    pub(crate) received_ms: u64,
}

/// The way to venues.
pub(crate) struct Fetches {
    shared: Arc<Shared>,
}

struct Shared {
    web: Arc<dyn Web>,
    now_ms: NowMs,
    under_way: Mutex<HashMap<Question, watch::Receiver<Option<Heard>>>>,
    places: Semaphore,
    of_one: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl Fetches {
    pub(crate) fn new(web: Arc<dyn Web>, now_ms: NowMs) -> Self {
        let (under_way, of_one) = (Mutex::default(), Mutex::default());
        Self {
            shared: Arc::new(Shared {
                web,
                now_ms,
                under_way,
                places: Semaphore::new(FETCHES_AT_ONCE),
                of_one,
            }),
        }
    }

    /// Whether `url` may be asked at all.
    pub(crate) fn check(&self, url: &str) -> Result<(), String> {
        self.shared.web.check(url)
    }

    /// Asks for a tenant's feed, or waits for the answer to the same question that is on its way: in either case one that comes after
    /// this was asked. Within the question's time.
    pub(crate) async fn ask(&self, tenant: TenantId, question: Question) -> Heard {
        let mut answer = self.shared.answer(tenant, question);
        let heard = answer.wait_for(Option::is_some).await.ok().and_then(|heard| heard.clone());
        heard.unwrap_or_else(|| Heard {
            body: Err("asking failed inside the appliance".to_owned()),
            received_ms: (self.shared.now_ms)(),
        })
    }
}

impl Shared {
    fn answer(self: &Arc<Self>, tenant: TenantId, question: Question) -> watch::Receiver<Option<Heard>> {
        let mut under_way = lock(&self.under_way);
        if let Some(answer) = under_way.get(&question) {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        under_way.insert(question.clone(), answer.clone());
        drop(under_way);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            // Whatever happens to the fetch, who asks next asks anew.
            let asking = Asking { shared: Arc::clone(&shared), question };
            let body = shared.get(tenant, &asking.question).await;
            drop(asking);
            tell.send_replace(Some(Heard { body, received_ms: (shared.now_ms)() }));
        });
        answer
    }

    async fn get(&self, tenant: TenantId, question: &Question) -> Result<Bytes, String> {
        let Question { url, max_bytes, timeout_ms } = question;
        let of_one = {
            let mut all = lock(&self.of_one);
            Arc::clone(all.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(FETCHES_OF_ONE))))
        };
        let mut begun = false;
        let fetch = async {
            let stopping = |_| "the appliance stops".to_owned();
            let _place_of_one = of_one.acquire().await.map_err(stopping)?;
            let _place = self.places.acquire().await.map_err(stopping)?;
            begun = true;
            self.web.get(url, *max_bytes, *timeout_ms).await
        };
        match timeout(Duration::from_millis(*timeout_ms), fetch).await {
            Ok(body) => body,
            Err(_) if begun => Err(format!("no whole answer within {timeout_ms} ms")),
            Err(_) => Err(format!(
                "so many venues were asked at once that its turn did not come within {timeout_ms} ms"
            )),
        }
    }
}

/// A question that is under way as long as this lives.
struct Asking {
    shared: Arc<Shared>,
    question: Question,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.shared.under_way).remove(&self.question);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
