//! The appraisal itself: the checks in their order.

use std::sync::Arc;

use crate::{
    AppraisalError, AppraisalPolicy, AttestationResult, ChainCache, UnixTime,
    chain::{self, VerifiedChain},
    cose::CoseSign1,
    document::Document,
    reference::differences,
};

/// Appraises `document`, the bytes of an attestation document as the NSM returned them, against `policy`, as of
/// the time `at`.
///
/// # Errors
/// The first check that failed, in the order that the crate's documentation lists.
pub fn appraise(
    document: &[u8],
    policy: &AppraisalPolicy,
    at: UnixTime,
) -> Result<AttestationResult, AppraisalError> {
    appraise_by(document, policy, at, |bundle, leaf| {
        chain::verify(&policy.anchor, bundle, leaf).map(Arc::new)
    })
}

/// [`appraise`], without verifying a certificate chain again that `chains` has seen pass: four times as fast then.
/// Every other check is made each time.
///
/// # Errors
/// Those of [`appraise`].
pub fn appraise_with(
    chains: &ChainCache,
    document: &[u8],
    policy: &AppraisalPolicy,
    at: UnixTime,
) -> Result<AttestationResult, AppraisalError> {
    appraise_by(document, policy, at, |bundle, leaf| chains.verify(&policy.anchor, bundle, leaf))
}

fn appraise_by(
    document: &[u8],
    policy: &AppraisalPolicy,
    at: UnixTime,
    verify_chain: impl FnOnce(&[Vec<u8>], &[u8]) -> Result<Arc<VerifiedChain>, AppraisalError>,
) -> Result<AttestationResult, AppraisalError> {
    let cose = CoseSign1::parse(document)?;
    let document = Document::parse(&cose.payload)?;
    let chain = verify_chain(&document.cabundle, &document.certificate)?;
    if !cose.is_signed_by(&chain.leaf_key) {
        return Err(AppraisalError::Signature);
    }
    // From here on the content is authenticated.
    chain.check_time(at, policy.clock_skew_ms)?;
    check_timestamp(&document, policy, at)?;
    let debug = document.is_debug();
    if debug && !policy.allow_debug {
        return Err(AppraisalError::Debug);
    }
    let release = check_pcrs(&document, policy)?;
    check_bindings(&document, policy)?;
    Ok(AttestationResult {
        root: policy.anchor.kind(),
        release,
        debug,
        module_id: document.module_id,
        timestamp: document.timestamp,
        valid_until: chain.valid_until(),
        pcrs: document.pcrs,
        user_data: document.user_data,
        nonce: document.nonce,
        public_key: document.public_key,
    })
}

fn check_timestamp(
    document: &Document,
    policy: &AppraisalPolicy,
    at: UnixTime,
) -> Result<(), AppraisalError> {
    let timestamp = document.timestamp;
    if timestamp > at.plus_millis(policy.clock_skew_ms) {
        return Err(AppraisalError::FromTheFuture { timestamp, at });
    }
    let age_ms = at.as_millis().saturating_sub(timestamp.as_millis());
    match policy.max_age_ms {
        Some(max_age_ms) if age_ms > max_age_ms.saturating_add(policy.clock_skew_ms) => {
            Err(AppraisalError::TooOld { age_ms, max_age_ms })
        }
        _ => Ok(()),
    }
}

/// The name of the release that matches, if the policy accepts releases.
fn check_pcrs(document: &Document, policy: &AppraisalPolicy) -> Result<Option<String>, AppraisalError> {
    let indices = differences(&policy.required, &document.pcrs);
    if !indices.is_empty() {
        return Err(AppraisalError::PcrMismatch { release: None, indices });
    }
    let compared =
        policy.releases.iter().map(|release| (release.name(), differences(release.pcrs(), &document.pcrs)));
    match compared.min_by_key(|(_, indices)| indices.len()) {
        None => Ok(None),
        Some((name, indices)) if indices.is_empty() => Ok(Some(name.to_owned())),
        Some((name, indices)) => Err(AppraisalError::PcrMismatch { release: Some(name.to_owned()), indices }),
    }
}

/// An expectation fails if the document has another value or none.
fn check_bindings(document: &Document, policy: &AppraisalPolicy) -> Result<(), AppraisalError> {
    let fails = |expected: &Option<Vec<u8>>, found: &Option<Vec<u8>>| expected.is_some() && expected != found;
    if fails(&policy.nonce, &document.nonce) {
        return Err(AppraisalError::Nonce);
    }
    if fails(&policy.user_data, &document.user_data) {
        return Err(AppraisalError::UserData);
    }
    if fails(&policy.public_key, &document.public_key) {
        return Err(AppraisalError::PublicKey);
    }
    Ok(())
}
