//! Idempotency keys: which job a key was used for, so that the same request made again is the same job.

use r3e_proto::api::jobs::{JobId, Origin};
use r3e_store::{Store, Write};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::enqueue::NewJob;
use crate::error::JobsError;
use crate::limits::{KEY_KEPT_MS, MAX_KEY_BYTES};
use crate::record::Address;
use crate::spaces::{Spaces, TenantSpaces};

/// Which job a key was used for, and until when that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) job: JobId,
    /// Of what was asked for: [`content`].
    pub(crate) content: String,
    pub(crate) until_ms: u64,
}

/// What a key was found to be.
#[derive(Debug)]
pub(crate) enum Key {
    /// It was used for the same: this job.
    Same(JobId),
    /// It may be used; with the version of a record that is over, where one stands.
    Free(Option<(Used, u64)>),
}

/// The key of a key's record. Requests' and triggers' keys never meet.
///
/// # Errors
/// [`JobsError::Invalid`] unless it is 1 to [`MAX_KEY_BYTES`] printable ASCII characters.
pub(crate) fn record_key(origin: &Origin, key: &str) -> Result<String, JobsError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        let rule = format!("an idempotency key has 1 to {MAX_KEY_BYTES} printable ASCII characters");
        return Err(JobsError::Invalid(rule));
    }
    let by: &[u8] = match origin {
        Origin::Api | Origin::Replay(_) => b"request/",
        Origin::Trigger(_) => b"trigger/",
    };
    Ok(hex::encode(Sha256::new().chain_update(by).chain_update(key).finalize()))
}

/// SHA-256 over all that a job is asked to be, each part behind its length. A trigger's key alone says what its job is: who sends
/// a message again may stamp it anew.
pub(crate) fn content(new: &NewJob) -> Result<String, JobsError> {
    if let Origin::Trigger(name) = &new.origin {
        return Ok(hex::encode(Sha256::digest(name)));
    }
    let json =
        |value: serde_json::Result<Vec<u8>>| value.map_err(|error| JobsError::Record(error.to_string()));
    let (policy, origin) = (json(serde_json::to_vec(&new.policy))?, json(serde_json::to_vec(&new.origin))?);
    let webhook = new.webhook.as_deref().unwrap_or_default();
    let keep = new.keep_ms.to_be_bytes();
    let mut hash = Sha256::new();
    for part in [new.function.as_bytes(), &new.event, &policy, &origin, webhook.as_bytes(), &keep] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Ok(hex::encode(hash.finalize()))
}

/// Looks a key up.
///
/// # Errors
/// [`JobsError::KeyReused`]; the store's.
pub(crate) async fn look_up(
    store: &Store,
    address: Address,
    key: &str,
    content: &str,
    now_ms: u64,
) -> Result<Key, JobsError> {
    let spaces = TenantSpaces::of(address)?;
    let Some(found) = store.get(&spaces.keys, key).await? else { return Ok(Key::Free(None)) };
    let used: Used = serde_json::from_slice(found.value.as_bytes())
        .map_err(|error| JobsError::Record(error.to_string()))?;
    if used.until_ms <= now_ms {
        return Ok(Key::Free(Some((used, found.version))));
    }
    if used.content == content { Ok(Key::Same(used.job)) } else { Err(JobsError::KeyReused) }
}

/// The writes that note a key's use, the first of them under the condition that the key is still free.
pub(crate) fn use_of(
    spaces: &Spaces,
    address: Address,
    key: &str,
    content: String,
    now_ms: u64,
    over: Option<&(Used, u64)>,
) -> Result<Vec<Write>, JobsError> {
    let used = Used { job: address.id, content, until_ms: now_ms.saturating_add(KEY_KEPT_MS) };
    let bytes = serde_json::to_vec(&used).map_err(|error| JobsError::Record(error.to_string()))?;
    let put = Write::put(&TenantSpaces::of(address)?.keys, key, bytes);
    let end = |until_ms| end_key(address, key, until_ms);
    let put_end = Write::put(&spaces.key_ends, &end(used.until_ms), Vec::new());
    Ok(match over {
        None => vec![put.if_absent(), put_end],
        Some((over, version)) => {
            vec![put.if_version(*version), Write::delete(&spaces.key_ends, &end(over.until_ms)), put_end]
        }
    })
}

/// The key that says when a key's record is removed.
fn end_key(address: Address, key: &str, until_ms: u64) -> String {
    format!("{until_ms:016x}/{}/{key}", address.tenant)
}

/// Removes records of keys whose time is over, at most `limit`; how many there were.
///
/// # Errors
/// The store's.
pub(crate) async fn sweep(
    store: &Store,
    spaces: &Spaces,
    now_ms: u64,
    limit: usize,
) -> Result<usize, JobsError> {
    let listed = store.scan(&spaces.key_ends, "", None, limit)?;
    let mut swept = 0;
    for entry in listed {
        let mut parts = entry.key.splitn(3, '/');
        let until_ms = parts.next().and_then(|time| u64::from_str_radix(time, 16).ok());
        let tenant = parts.next().and_then(|tenant| tenant.parse().ok());
        let (Some(until_ms), Some(tenant), Some(key)) = (until_ms, tenant, parts.next()) else { continue };
        if until_ms > now_ms {
            break;
        }
        let keys = TenantSpaces::of(Address { tenant, id: JobId([0; 16]) })?.keys;
        let mut writes = vec![Write::delete(&spaces.key_ends, &entry.key)];
        // Used anew since, it has another end.
        if let Some(found) = store.get(&keys, key).await?
            && serde_json::from_slice::<Used>(found.value.as_bytes())
                .is_ok_and(|used| used.until_ms == until_ms)
        {
            writes.push(Write::delete(&keys, key).if_version(found.version));
        }
        match store.batch(writes).await {
            Ok(_) => swept += 1,
            // Used anew meanwhile: the next look finds it so.
            Err(r3e_store::StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(swept)
}
