//! Batches: the latest reports of several feeds under one signature for each target.

use std::collections::BTreeSet;

use r3e_feeds::limits::MAX_FEEDS_OF_ONE;
use r3e_feeds::{Feeds, Latest};
use r3e_proto::api::feeds::{BatchedReport, SignedBatch, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::report::{FeedId, Tree};

use super::OracleKeys;
use crate::service::ServiceError;

/// The latest reports of these feeds, signed as one for each target that all of them have: it is for whom each of them is signed alone, too.
///
/// # Errors
/// [`ServiceError::Invalid`]: none, too many, one twice, what is no feed's name, or no target that all have. [`ServiceError::NotFound`]
/// names the feed that there is not, or that has no report.
pub(crate) fn batch(
    feeds: &Feeds,
    keys: &OracleKeys,
    tenant: TenantId,
    names: Vec<String>,
) -> Result<SignedBatch, ServiceError> {
    let distinct: BTreeSet<&String> = names.iter().collect();
    if !(1..=MAX_FEEDS_OF_ONE).contains(&names.len()) || distinct.len() < names.len() {
        let rule = format!("a batch is of 1 to {MAX_FEEDS_OF_ONE} feeds, each once");
        return Err(ServiceError::Invalid(rule));
    }
    if let Some(at) = names.iter().position(|name| FeedId::named(name).is_none()) {
        let rule = format!("feeds[{at}]: a feed's name is 1 to 32 printable characters of ASCII");
        return Err(ServiceError::Invalid(rule));
    }
    let latest: Vec<Latest> =
        names.iter().map(|name| latest(feeds, tenant, name)).collect::<Result<_, _>>()?;
    let targets = shared_targets(&latest);
    if targets.is_empty() {
        return Err(ServiceError::Invalid("there is no target that all of the feeds have".to_owned()));
    }
    let internal = |error: &dyn std::fmt::Display| ServiceError::Internal(error.to_string());
    let reports: Vec<_> = latest.iter().map(|one| one.report).collect();
    let tree = Tree::new(&reports).map_err(|error| internal(&error))?;
    let of_it = tree.batch();
    let signatures = targets.iter().map(|target| keys.sign_batch(tenant, target, &of_it));
    let signatures = signatures.collect::<Result<_, _>>().map_err(|error| internal(&error))?;
    let batched = (0..)
        .zip(names)
        .zip(reports)
        .map(|((index, feed), report)| Some(BatchedReport { feed, report, proof: tree.proof(index)? }));
    let reports: Option<Vec<_>> = batched.collect();
    let reports = reports.ok_or_else(|| internal(&"a batch without one of its reports"))?;
    Ok(SignedBatch { tenant, root: Hash32(of_it.root), reports, signatures, document: None })
}

/// Of one of them. That there is none says whose.
fn latest(feeds: &Feeds, tenant: TenantId, name: &str) -> Result<Latest, ServiceError> {
    let none =
        || ServiceError::NotFound { kind: "report", name: format!("of {name}: it has not published yet") };
    feeds.latest(tenant, name)?.ok_or_else(none)
}

/// In the order of the first.
fn shared_targets(latest: &[Latest]) -> Vec<Target> {
    let of_first = latest.first().into_iter().flat_map(|first| &first.targets).copied();
    of_first.filter(|target| latest.iter().all(|one| one.targets.contains(target))).collect()
}
