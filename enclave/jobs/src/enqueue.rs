//! Taking a job in: one commit, with its idempotency key where it has one. Once the commit was offered, the job is followed until
//! it is known whether it stands, whether or not anybody still waits for the answer.

use std::sync::Arc;

use aws_lc_rs::rand;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{Enqueued, Job, JobId, JobState, Origin, RetryPolicy, Webhook, WebhookState};
use r3e_proto::limits::MAX_NAME_BYTES;
use r3e_store::{StoreError, Write};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::changes::{Pauses, Phase, may_stand};
use crate::error::JobsError;
use crate::jobs::Inner;
use crate::keys::{self, Key};
use crate::limits::{
    DEFAULT_KEEP_MS, JOB_BYTES, KEEP_MS, MAX_EVENT_BYTES, MAX_TRIGGER_NAME_BYTES, MAX_URL_BYTES,
};
use crate::policy;
use crate::record::{Address, Record};

/// A job that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The function to invoke: what is deployed under the name when an attempt begins.
    pub function: String,
    /// Its event, JSON text of at most [`MAX_EVENT_BYTES`].
    pub event: Vec<u8>,
    /// When it is tried again.
    pub policy: RetryPolicy,
    /// An `https` URL to tell when it has ended; its host is among the function's grants.
    pub webhook: Option<String>,
    /// How long it is kept once it has ended: [`KEEP_MS`].
    pub keep_ms: u64,
    /// The same key with the same content is the same job, for [`crate::limits::KEY_KEPT_MS`]. Keys of requests and of triggers
    /// are apart.
    pub idempotency_key: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// How many events caused one another before it ([`Job::hops`]).
    pub hops: u32,
}

impl NewJob {
    /// A request's, with the default policy.
    pub fn new(function: impl Into<String>, event: impl Into<Vec<u8>>) -> Self {
        Self {
            function: function.into(),
            event: event.into(),
            policy: RetryPolicy::default(),
            webhook: None,
            keep_ms: DEFAULT_KEEP_MS,
            idempotency_key: None,
            origin: Origin::Api,
            hops: 0,
        }
    }
}

/// Records that stand exactly if the job of this id does.
pub type With = Box<dyn Fn(JobId) -> Result<Vec<Write>, JobsError> + Send + Sync>;

/// Where the answer goes; it is given once.
type Answer = oneshot::Sender<Result<Enqueued, JobsError>>;

/// Times that a key is looked up again because another request with it came first.
const MAX_KEY_RACES: usize = 8;

/// Takes a job in, to the end.
pub(crate) async fn take_in(inner: Arc<Inner>, tenant: TenantId, new: NewJob, with: With, answer: Answer) {
    match prepare(&inner, tenant, new, with).await {
        Ok(Prepared::Known(id)) => drop(answer.send(Ok(Enqueued { id, repeated: true }))),
        Ok(Prepared::Committed(id)) => drop(answer.send(Ok(Enqueued { id, repeated: false }))),
        Ok(Prepared::Unknown(expected, error)) => {
            drop(answer.send(Err(error.into())));
            follow(&inner, *expected).await;
        }
        Err(error) => drop(answer.send(Err(error))),
    }
}

enum Prepared {
    /// An earlier request's.
    Known(JobId),
    Committed(JobId),
    /// The commit may stand or not.
    Unknown(Box<Expected>, StoreError),
}

/// A job whose commit was offered.
struct Expected {
    address: Address,
    record: Record,
    writes: Vec<Write>,
}

async fn prepare(
    inner: &Inner,
    tenant: TenantId,
    mut new: NewJob,
    with: With,
) -> Result<Prepared, JobsError> {
    if *inner.phase.borrow() == Phase::Closed {
        return Err(JobsError::Stopping);
    }
    check(&mut new)?;
    let key = new.idempotency_key.as_deref().map(|key| keys::record_key(&new.origin, key)).transpose()?;
    let content = keys::content(&new)?;
    let mut grants_checked = false;
    for _ in 0..MAX_KEY_RACES {
        let now_ms = inner.now_ms();
        let address = Address { tenant, id: draw_id(now_ms)? };
        let found = match &key {
            Some(key) => keys::look_up(&inner.store, address, key, &content, now_ms).await?,
            None => Key::Free(None),
        };
        let over = match found {
            Key::Same(id) => return Ok(Prepared::Known(id)),
            Key::Free(over) => over,
        };
        if !grants_checked {
            check_function(inner, tenant, &new).await?;
            grants_checked = true;
        }
        let record = record(address.id, &new, now_ms);
        let mut writes = inner.spaces.creation(address, &record, &new.event)?;
        let before_key = writes.len();
        if let Some(key) = &key {
            let used = keys::use_of(&inner.spaces, address, key, content.clone(), now_ms, over.as_ref())?;
            writes.extend(used);
        }
        let before_others = writes.len();
        writes.extend(with(address.id)?);
        inner.board().expect(tenant, record.bytes).map_err(|full| JobsError::Full { full })?;
        match inner.store.batch(writes.clone()).await {
            Ok(_) => {
                inner.stands(address, &record);
                return Ok(Prepared::Committed(address.id));
            }
            Err(StoreError::Conflict { index, .. }) if index >= before_others => {
                inner.board().came(tenant, record.bytes);
                return Err(JobsError::Overtaken);
            }
            // Another request with this key came first.
            Err(StoreError::Conflict { index, .. }) if index >= before_key => {
                inner.board().came(tenant, record.bytes);
            }
            Err(error) if may_stand(&error) => {
                return Ok(Prepared::Unknown(Box::new(Expected { address, record, writes }), error));
            }
            Err(error) => {
                inner.board().came(tenant, record.bytes);
                return Err(error.into());
            }
        }
    }
    Err(StoreError::Busy.into())
}

/// Offers the commit again, until it is known whether it stands. Whoever asked was told that it may.
async fn follow(inner: &Inner, Expected { address, record, writes }: Expected) {
    let mut pauses = Pauses::new(&inner.phase);
    let stands = loop {
        if pauses.next().await.is_err() {
            return;
        }
        match inner.store.batch(writes.clone()).await {
            // Or the job's own record is there: an earlier try did it.
            Ok(_) | Err(StoreError::Conflict { index: 0, .. }) => break true,
            Err(error) if !error.may_pass() => break false,
            Err(_) => {}
        }
    };
    if stands {
        inner.stands(address, &record);
    } else {
        inner.board().came(address.tenant, record.bytes);
    }
}

impl Inner {
    /// A job that room was expected for stands.
    fn stands(&self, address: Address, record: &Record) {
        let now_ms = self.now_ms();
        let mut board = self.board();
        board.came(address.tenant, record.bytes);
        board.add(address, record.place(), now_ms);
        drop(board);
        self.tallies.enqueued.add();
        self.wake();
    }
}

fn check(new: &mut NewJob) -> Result<(), JobsError> {
    let invalid = |text: String| Err(JobsError::Invalid(text));
    if new.function.is_empty() || new.function.len() > MAX_NAME_BYTES {
        return Err(JobsError::NoFunction(new.function.chars().take(MAX_NAME_BYTES).collect()));
    }
    if new.event.len() > MAX_EVENT_BYTES {
        return invalid(format!("the event has {} bytes, more than {MAX_EVENT_BYTES}", new.event.len()));
    }
    let Ok(text) = std::str::from_utf8(&new.event) else {
        return invalid("the event is not UTF-8 text".to_owned());
    };
    if let Err(error) = r3e_runner_api::json::check(text) {
        return invalid(format!("the event is {error}"));
    }
    if !KEEP_MS.contains(&new.keep_ms) {
        return invalid(format!("keep_ms is {} to {}", KEEP_MS.start(), KEEP_MS.end()));
    }
    if let Origin::Trigger(name) = &new.origin
        && (name.is_empty() || name.len() > MAX_TRIGGER_NAME_BYTES)
    {
        return invalid(format!("a trigger's name has 1 to {MAX_TRIGGER_NAME_BYTES} bytes"));
    }
    if new.webhook.as_ref().is_some_and(|url| url.len() > MAX_URL_BYTES) {
        return invalid(format!("a webhook's URL has at most {MAX_URL_BYTES} bytes"));
    }
    new.policy = policy::checked(std::mem::take(&mut new.policy))?;
    Ok(())
}

/// Whether there is such a function now, and it may reach the webhook.
async fn check_function(inner: &Inner, tenant: TenantId, new: &NewJob) -> Result<(), JobsError> {
    let granted = inner.invocations.granted(tenant, &new.function).await.map_err(JobsError::Unavailable)?;
    let granted = granted.ok_or_else(|| JobsError::NoFunction(new.function.clone()))?;
    match &new.webhook {
        Some(url) => inner.courier.check(url, &granted).map_err(JobsError::Invalid),
        None => Ok(()),
    }
}

fn draw_id(now_ms: u64) -> Result<JobId, JobsError> {
    let mut random = [0; 10];
    rand::fill(&mut random).map_err(|_| JobsError::Random)?;
    Ok(JobId::new(now_ms, random))
}

fn record(id: JobId, new: &NewJob, now_ms: u64) -> Record {
    let webhook = new.webhook.as_ref().map(|url| Webhook {
        url: url.clone(),
        state: WebhookState::Waiting,
        attempts: 0,
        last: None,
        last_at_ms: None,
    });
    let event_bytes = new.event.len() as u64;
    let job = Job {
        id,
        function: new.function.clone(),
        state: JobState::Queued,
        origin: new.origin.clone(),
        hops: new.hops,
        queued_at_ms: now_ms,
        finished_at_ms: None,
        removed_at_ms: None,
        attempts: Vec::new(),
        reason: None,
        policy: new.policy.clone(),
        keep_ms: new.keep_ms,
        event_bytes,
        event_sha256: hex::encode(Sha256::digest(&new.event)),
        webhook,
    };
    Record { job, due_at_ms: now_ms, bytes: JOB_BYTES + event_bytes }
}
