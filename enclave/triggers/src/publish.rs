//! Events: each goes to all triggers of its topic, of the tenant whose event it is, and of no other.

use std::sync::Arc;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_proto::api::triggers::{Fired, Published};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use crate::entry::Entry;
use crate::error::TriggersError;
use crate::fire::Happening;
use crate::limits::MAX_BODY_BYTES;
use crate::record::Mark;
use crate::triggers::Inner;

/// Takes an event in, JSON text. With a key, the same event taken in again queues nothing again.
///
/// # Errors
/// [`TriggersError::Invalid`], [`TriggersError::TooFast`]. What a trigger fails with is in the answer.
pub(crate) async fn publish(
    inner: &Arc<Inner>,
    tenant: TenantId,
    topic: &str,
    data: &[u8],
    key: Option<&str>,
    hops: u32,
) -> Result<Published, TriggersError> {
    if !is_name(topic) {
        return Err(TriggersError::Invalid("that is no topic's name".to_owned()));
    }
    let data = checked(data)?.to_owned();
    let key = key.map(|key| hex::encode(Sha256::digest(key)));
    let entries = inner.board().of_topic(tenant, topic);
    inner.may_evaluate(tenant, entries.len())?;
    let mut firing = JoinSet::new();
    for entry in entries {
        let (inner, data, key) = (Arc::clone(inner), data.clone(), key.clone());
        let topic = topic.to_owned();
        firing.spawn(async move {
            let head = json!({ "trigger": entry.address.name, "kind": "event", "topic": topic });
            let key = key.map(|key| format!("{}/{key}", String::from(entry.id)));
            let happening =
                Happening { event: with_data(&head.to_string(), &data), mark: Mark::Nothing, key, hops };
            fired(&entry, inner.fire(&entry, happening).await)
        });
    }
    let mut fired: Vec<Fired> = Vec::new();
    while let Some(one) = firing.join_next().await {
        fired.push(one.map_err(|_| TriggersError::Stopping)?);
    }
    fired.sort_by(|one, other| one.trigger.cmp(&other.trigger));
    Ok(Published { fired })
}

/// An object's text with `data` as its last field, as it came.
pub(crate) fn with_data(object: &str, data: &str) -> String {
    let open = object.strip_suffix('}').unwrap_or(object);
    format!("{open},\"data\":{data}}}")
}

/// JSON text that may be an event's data.
pub(crate) fn checked(data: &[u8]) -> Result<&str, TriggersError> {
    let invalid = |what: String| TriggersError::Invalid(what);
    if data.len() > MAX_BODY_BYTES {
        return Err(invalid(format!("data has at most {MAX_BODY_BYTES} bytes")));
    }
    let text = std::str::from_utf8(data).map_err(|_| invalid("data is not UTF-8 text".to_owned()))?;
    r3e_runner_api::json::check(text).map_err(|error| invalid(format!("data is {error}")))?;
    Ok(text)
}

fn fired(entry: &Entry, outcome: Result<Fired, TriggersError>) -> Fired {
    outcome.unwrap_or_else(|error| Fired {
        trigger: entry.address.name.clone(),
        job: None,
        repeated: false,
        failed: true,
        reason: Some(error.to_string()),
    })
}
