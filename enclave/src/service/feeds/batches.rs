//! Batches: the latest reports of several feeds under one signature for each target.

use std::collections::BTreeSet;

use r3e_feeds::{Feeds, Which};
use r3e_proto::api::feeds::{BatchedReport, SignedBatch, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::limits::MAX_BATCH_REPORTS;
use r3e_proto::report::Tree;

use super::OracleKeys;
use crate::service::ServiceError;

/// The latest reports of these feeds, signed as one for each target that all of them have: it is for whom each of them is signed alone, too.
///
/// # Errors
/// [`ServiceError::Invalid`]: none, too many, one twice, or no target that all have; as for a report alone.
pub(crate) async fn batch(
    feeds: &Feeds,
    keys: &OracleKeys,
    tenant: TenantId,
    names: Vec<String>,
) -> Result<SignedBatch, ServiceError> {
    let distinct: BTreeSet<&String> = names.iter().collect();
    let is_size = u32::try_from(names.len()).is_ok_and(|size| (1..=MAX_BATCH_REPORTS).contains(&size));
    if !is_size || distinct.len() < names.len() {
        let rule = format!("a batch is of 1 to {MAX_BATCH_REPORTS} feeds, each once");
        return Err(ServiceError::Invalid(rule));
    }
    let mut signed = Vec::with_capacity(names.len());
    for name in &names {
        signed.push(feeds.report(tenant, name, Which::Latest).await?);
    }
    let targets = shared_targets(&signed);
    if targets.is_empty() {
        return Err(ServiceError::Invalid("there is no target that all of the feeds have".to_owned()));
    }
    let internal = |error: &dyn std::fmt::Display| ServiceError::Internal(error.to_string());
    let reports: Vec<_> = signed.iter().map(|one| one.report).collect();
    let tree = Tree::new(&reports).map_err(|error| internal(&error))?;
    let of_it = tree.batch();
    let signatures = targets.iter().map(|target| keys.sign_batch(tenant, target, &of_it));
    let signatures = signatures.collect::<Result<_, _>>().map_err(|error| internal(&error))?;
    let batched = (0..).zip(signed).map(|(index, SignedReport { feed, report, .. })| {
        Some(BatchedReport { feed, report, proof: tree.proof(index)? })
    });
    let reports: Option<Vec<_>> = batched.collect();
    let reports = reports.ok_or_else(|| internal(&"a batch without one of its reports"))?;
    Ok(SignedBatch { tenant, root: Hash32(of_it.root), reports, signatures, document: None })
}

/// In the order of the first.
fn shared_targets(signed: &[SignedReport]) -> Vec<Target> {
    let has = |one: &SignedReport, target: &Target| one.signatures.iter().any(|its| its.target == *target);
    let of_first = signed.first().into_iter().flat_map(|first| &first.signatures).map(|its| its.target);
    of_first.filter(|target| signed.iter().all(|one| has(one, target))).collect()
}
