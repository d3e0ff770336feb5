//! The audit log: one task writes the logs of all tenants, and an entry is durable before whoever it is about goes on.
//!
//! What waits while a commit is under way goes into the next one together, whatever tenant it is of, so that many readers
//! share one commit. A change of a secret brings its own writes, and is committed with its entry or not at all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::secrets::{AuditEntry, AuditLog};
use r3e_store::{Store, StoreError, Write};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::pages::{self, Ring, Tail};
use crate::limits::{MAX_AUDIT_GROUP_ENTRIES, MAX_AUDIT_QUEUE};
use crate::service::ServiceError;

/// Times that a commit is planned: again where a page was not as it was remembered, or could not be read. Nothing was written
/// then, so trying again doubles nothing.
const MAX_TRIES: u32 = 5;
/// Before the first of these tries; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// The logs of all tenants.
pub(super) struct Audit {
    store: Store,
    jobs: mpsc::Sender<Job>,
}

/// Entries that wait for their commit.
struct Job {
    tenant: TenantId,
    entries: Vec<AuditEntry>,
    /// What is committed with them.
    writes: Vec<Write>,
    answer: oneshot::Sender<Result<(), Arc<ServiceError>>>,
}

impl Audit {
    /// The logs in `store`. Must be called within a tokio runtime, which carries the writer.
    pub(super) fn start(store: Store) -> Self {
        let (jobs, waiting) = mpsc::channel(MAX_AUDIT_QUEUE);
        tokio::spawn(Writer { store: store.clone(), tails: HashMap::new() }.run(waiting));
        Self { store, jobs }
    }

    /// Logs `entries` and commits `writes` with them: all of it is durable when this returns, or none of it is known to be.
    /// Dropping the future takes nothing back.
    ///
    /// # Errors
    /// The store's. [`StoreError::Conflict`] is about a condition of `writes`.
    pub(super) async fn commit(
        &self,
        tenant: TenantId,
        entries: Vec<AuditEntry>,
        writes: Vec<Write>,
    ) -> Result<(), ServiceError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { tenant, entries, writes, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let outcome = answered.await.unwrap_or_else(|_| Err(Arc::new(StoreError::Closed.into())));
        // Only those that read in one group share an error, and of them nobody acts on which it is.
        outcome.map_err(|error| Arc::try_unwrap(error).unwrap_or_else(|_| StoreError::Unconfirmed.into()))
    }

    /// A tenant's log after the entry numbered `after`; of one secret, where one is named.
    pub(super) async fn read(
        &self,
        tenant: TenantId,
        secret: Option<&str>,
        after: u64,
    ) -> Result<AuditLog, ServiceError> {
        let (dropped, mut entries) = pages::read(&self.store, tenant, after).await?;
        entries.retain(|entry| secret.is_none_or(|name| entry.secret == name));
        Ok(AuditLog { kept: Ring::Reads.kept(), kept_changes: Ring::Changes.kept(), dropped, entries })
    }
}

/// The one task that writes logs, with the ends of those it wrote to.
struct Writer {
    store: Store,
    /// Of each ring of [`Ring::ALL`].
    tails: HashMap<TenantId, [Tail; 2]>,
}

/// Why a group was not committed.
enum Failed {
    /// A page is not as it was remembered, or could not be read now: read it again.
    Again(ServiceError),
    Because(ServiceError),
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut held = None;
        loop {
            let first = match held.take() {
                Some(job) => job,
                None => match waiting.recv().await {
                    Some(job) => job,
                    None => return,
                },
            };
            let mut group = vec![first];
            // A change stands alone: its condition is nobody else's to fail by.
            let mut count = group.iter().map(|job| job.entries.len()).sum::<usize>();
            while group.iter().all(|job| job.writes.is_empty()) && held.is_none() {
                let Ok(job) = waiting.try_recv() else { break };
                count += job.entries.len();
                if job.writes.is_empty() && count <= MAX_AUDIT_GROUP_ENTRIES {
                    group.push(job);
                } else {
                    held = Some(job);
                }
            }
            self.serve(group).await;
        }
    }

    /// Commits a group, and tells everyone in it how that went.
    async fn serve(&mut self, group: Vec<Job>) {
        let mut outcome = self.commit(&group).await;
        for tried in 1..MAX_TRIES {
            if !matches!(outcome, Err(Failed::Again(_))) {
                break;
            }
            sleep(FIRST_PAUSE * 2_u32.pow(tried - 1)).await;
            outcome = self.commit(&group).await;
        }
        let outcome = outcome.map_err(|(Failed::Again(error) | Failed::Because(error))| Arc::new(error));
        let mut answers: Vec<_> = group.into_iter().map(|job| job.answer).collect();
        let last = answers.pop();
        for answer in answers {
            // Who no longer waits for it has its entry all the same.
            let _ = answer.send(outcome.clone());
        }
        if let Some(last) = last {
            let _ = last.send(outcome);
        }
    }

    async fn commit(&mut self, group: &[Job]) -> Result<(), Failed> {
        let mut by_tenant: HashMap<TenantId, Vec<&Job>> = HashMap::new();
        for job in group {
            by_tenant.entry(job.tenant).or_default().push(job);
        }
        let (mut writes, mut staged) = (Vec::new(), Vec::new());
        for (tenant, jobs) in by_tenant {
            // They come back when the commit stands; otherwise what was remembered may not be what stands.
            let tails = match self.tails.remove(&tenant) {
                Some(tails) => tails,
                None => self.load(tenant).await?,
            };
            let before = tails.iter().map(Tail::last_number).max().unwrap_or_default();
            let entries = jobs.iter().flat_map(|job| job.entries.iter().cloned());
            let entries: Vec<AuditEntry> =
                (before + 1..).zip(entries).map(|(number, entry)| AuditEntry { number, ..entry }).collect();
            let [changes, reads] = tails;
            let mut stage = |ring: Ring, tail: Tail| {
                let of_ring = entries.iter().filter(|entry| Ring::of(entry) == ring).cloned();
                let namespace = ring.namespace(tenant).map_err(because)?;
                let mut part = tail.append(ring, &namespace, of_ring).map_err(Failed::Because)?;
                let pages = std::mem::take(&mut part.writes);
                let range = writes.len()..writes.len() + pages.len();
                writes.extend(pages);
                Ok::<_, Failed>((part, range))
            };
            staged.push((tenant, [stage(Ring::Changes, changes)?, stage(Ring::Reads, reads)?]));
        }
        let pages = writes.len();
        writes.extend(group.iter().flat_map(|job| job.writes.iter().cloned()));
        let committed = match self.store.batch(writes).await {
            Ok(committed) => committed,
            Err(StoreError::Conflict { index, .. }) if index < pages => {
                return Err(Failed::Again(StoreError::Busy.into()));
            }
            Err(error) => return Err(because(error)),
        };
        for (tenant, parts) in staged {
            let tails =
                parts.map(|(part, range)| part.committed(committed.versions.get(range).unwrap_or_default()));
            self.tails.insert(tenant, tails);
        }
        Ok(())
    }

    /// The ends of a tenant's rings as they stand.
    async fn load(&self, tenant: TenantId) -> Result<[Tail; 2], Failed> {
        let [changes, reads] = Ring::ALL.map(|ring| ring.namespace(tenant));
        let changes = Tail::load(&self.store, &changes.map_err(because)?).await.map_err(unread)?;
        let reads = Tail::load(&self.store, &reads.map_err(because)?).await.map_err(unread)?;
        Ok([changes, reads])
    }
}

/// A log that cannot be read now may be in a moment; nothing was written.
fn unread(error: ServiceError) -> Failed {
    match error {
        ServiceError::Store(StoreError::Unavailable(_) | StoreError::Busy) => Failed::Again(error),
        error => Failed::Because(error),
    }
}

fn because(error: StoreError) -> Failed {
    Failed::Because(error.into())
}

#[cfg(test)]
mod tests;
