//! Where jobs lie in the sealed store.
//!
//! | namespace | key | value |
//! |---|---|---|
//! | `jobs` of the tenant | the id, its time turned round | the job: [`Record`], JSON |
//! | `job-events` of the tenant | the same | the event's bytes |
//! | `job-outcomes` of the tenant | the same | the outcome, CBOR; empty until there is one |
//! | `job-keys` of the tenant | SHA-256 of an idempotency key | which job it was used for ([`crate::keys`]) |
//! | `job-index` of the appliance | where a job is ([`crate::index`]) | nothing |
//! | `job-key-ends` of the appliance | when a key is removed | nothing |
//!
//! The outcome's record is there from the start, and each step of a job's life replaces one place in the index by another, so
//! that no step but the first adds a record: a full store takes no new job, and loses none that it has.

use r3e_proto::api::jobs::JobOutcome;
use r3e_store::{Namespace, Store, StoreError, Write};

use crate::error::JobsError;
use crate::index::{Place, record_key};
use crate::record::{Address, Record};

/// The appliance's own namespaces.
#[derive(Debug, Clone)]
pub(crate) struct Spaces {
    pub(crate) index: Namespace,
    pub(crate) key_ends: Namespace,
}

/// One tenant's.
#[derive(Debug, Clone)]
pub(crate) struct TenantSpaces {
    pub(crate) jobs: Namespace,
    pub(crate) events: Namespace,
    pub(crate) outcomes: Namespace,
    pub(crate) keys: Namespace,
}

/// A record as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) record: Record,
    /// Its version in the store.
    pub(crate) version: u64,
    /// Its bytes.
    pub(crate) bytes: r3e_store::Value,
}

impl Spaces {
    pub(crate) fn new() -> Result<Self, StoreError> {
        Ok(Self {
            index: Namespace::of_appliance("job-index")?,
            key_ends: Namespace::of_appliance("job-key-ends")?,
        })
    }

    /// The writes of a job that is new.
    pub(crate) fn creation(
        &self,
        address: Address,
        record: &Record,
        event: &[u8],
    ) -> Result<Vec<Write>, JobsError> {
        let spaces = TenantSpaces::of(address)?;
        let key = record_key(address.id);
        Ok(vec![
            Write::put(&spaces.jobs, &key, record.encode()?).if_absent(),
            Write::put(&spaces.events, &key, event),
            Write::put(&spaces.outcomes, &key, Vec::new()),
            Write::put(&self.index, &record.place().key(address), Vec::new()),
        ])
    }

    /// The writes of one step: the record that stood is replaced, its place in the index too, and an outcome is added where
    /// there is one.
    pub(crate) fn step(
        &self,
        address: Address,
        before: &Standing,
        after: &Record,
        outcome: Option<&[u8]>,
    ) -> Result<Vec<Write>, JobsError> {
        let spaces = TenantSpaces::of(address)?;
        let key = record_key(address.id);
        let (from, to) = (before.record.place().key(address), after.place().key(address));
        let mut writes = vec![Write::put(&spaces.jobs, &key, after.encode()?).if_version(before.version)];
        if from != to {
            writes.push(Write::delete(&self.index, &from));
            writes.push(Write::put(&self.index, &to, Vec::new()));
        }
        if let Some(outcome) = outcome {
            writes.push(Write::put(&spaces.outcomes, &key, outcome));
        }
        Ok(writes)
    }

    /// The writes that remove a job.
    pub(crate) fn removal(&self, address: Address, before: &Standing) -> Result<Vec<Write>, JobsError> {
        let spaces = TenantSpaces::of(address)?;
        let key = record_key(address.id);
        Ok(vec![
            Write::delete(&spaces.jobs, &key).if_version(before.version),
            Write::delete(&spaces.events, &key),
            Write::delete(&spaces.outcomes, &key),
            Write::delete(&self.index, &before.record.place().key(address)),
        ])
    }

    /// Every job that the index names, the earliest due first of each kind. From memory.
    pub(crate) fn all(&self, store: &Store) -> Result<Vec<(Address, Place)>, StoreError> {
        let mut all = Vec::new();
        for listed in store.scan_all(&self.index)? {
            if let Some(found) = Place::parse(&listed.key) {
                all.push(found);
            } else {
                tracing::error!("the index of jobs has a key of another release; that job is left alone");
            }
        }
        Ok(all)
    }
}

impl TenantSpaces {
    pub(crate) fn of(address: Address) -> Result<Self, StoreError> {
        let tenant = address.tenant.to_string();
        Ok(Self {
            jobs: Namespace::of_tenant("jobs", &tenant)?,
            events: Namespace::of_tenant("job-events", &tenant)?,
            outcomes: Namespace::of_tenant("job-outcomes", &tenant)?,
            keys: Namespace::of_tenant("job-keys", &tenant)?,
        })
    }
}

/// The record of a job.
///
/// # Errors
/// The store's; [`JobsError::Record`].
pub(crate) async fn read(store: &Store, address: Address) -> Result<Option<Standing>, JobsError> {
    let spaces = TenantSpaces::of(address)?;
    let Some(found) = store.get(&spaces.jobs, &record_key(address.id)).await? else { return Ok(None) };
    let record = Record::decode(found.value.as_bytes())?;
    Ok(Some(Standing { record, version: found.version, bytes: found.value }))
}

/// The event of a job.
///
/// # Errors
/// The store's.
pub(crate) async fn read_event(
    store: &Store,
    address: Address,
) -> Result<Option<r3e_store::Value>, StoreError> {
    let spaces = TenantSpaces::of(address)?;
    Ok(store.get(&spaces.events, &record_key(address.id)).await?.map(|found| found.value))
}

/// The outcome of a job, once there is one.
///
/// # Errors
/// The store's; [`JobsError::Record`].
pub(crate) async fn read_outcome(store: &Store, address: Address) -> Result<Option<JobOutcome>, JobsError> {
    let spaces = TenantSpaces::of(address)?;
    let found = store.get(&spaces.outcomes, &record_key(address.id)).await?;
    let Some(found) = found.filter(|found| !found.value.as_bytes().is_empty()) else { return Ok(None) };
    decode_outcome(found.value.as_bytes()).map(Some)
}

/// An outcome as it is kept: CBOR, since a result's text could have twice its length in JSON.
///
/// # Errors
/// [`JobsError::Record`].
pub(crate) fn encode_outcome(outcome: &JobOutcome) -> Result<Vec<u8>, JobsError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(outcome, &mut bytes).map_err(|error| JobsError::Record(error.to_string()))?;
    Ok(bytes)
}

fn decode_outcome(bytes: &[u8]) -> Result<JobOutcome, JobsError> {
    ciborium::from_reader(bytes).map_err(|error| JobsError::Record(error.to_string()))
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::functions::{FunctionError, Invocation, LogLine, Outcome, Usage};

    use super::*;

    #[test]
    fn the_largest_outcome_comes_back_and_fits_a_record() {
        let quotes = "\"".repeat(1024 * 1024);
        let lines = vec![LogLine { level: "error".into(), text: "\u{1}".repeat(64) }; 1_000];
        let invocation = Invocation {
            id: "00".repeat(16),
            version: "11".repeat(32),
            outcome: Outcome::Output(quotes),
            logs: lines,
            logs_truncated: true,
            usage: Usage::default(),
            receipt: "a".repeat(6_000),
        };
        let failed = Outcome::Error(FunctionError {
            code: "function_error".into(),
            message: "é".repeat(3 * 1024),
            stack: Some("at f".into()),
        });
        for outcome in [
            JobOutcome::Invocation(invocation.clone()),
            JobOutcome::Invocation(Invocation { outcome: failed, ..invocation }),
            JobOutcome::NotRun(FunctionError {
                code: "interrupted".into(),
                message: String::new(),
                stack: None,
            }),
        ] {
            let bytes = encode_outcome(&outcome).unwrap();
            assert!(bytes.len() < r3e_store::limits::MAX_VALUE_BYTES, "{}", bytes.len());
            assert_eq!(decode_outcome(&bytes).unwrap(), outcome);
        }
    }
}
