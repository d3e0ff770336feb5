//! `r3e-verify report`: verifies a price feed's signed report, and that the keys which signed it are an attested appliance's.

use std::path::{Path, PathBuf};

use clap::Args;
use r3e_attestation::AttestationResult;
use r3e_proto::api::feeds::{BatchedReport, Signature, SignedBatch, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::report::{Batch, FeedId, Proof, config_digest};
use serde::Deserialize;

use crate::{
    error::VerifyError,
    input::{Format, attesting_document, parse_tenant, read_limited},
    limits::{MAX_BATCH_FILE_BYTES, MAX_POLICY_FILE_BYTES},
    oracle_keys::OracleKeys,
    outcome::Outcome,
    policy_args::PolicyArgs,
    report::{Report, SeenBatch, SeenReport},
};

const EXAMPLES: &str = "\
Examples:
  Did the release that I built sign this price?
    r3e-verify report btc-usd.report --reference-values releases.json

  All prices of a batch, or one of them:
    r3e-verify report prices.batch --reference-values releases.json
    r3e-verify report prices.batch --reference-values releases.json --feed btc-usd

  The same of one contract, one tenant's feed, and the venues and rules that I have read:
    r3e-verify report btc-usd.report --reference-values releases.json --feed btc-usd \\
      --tenant 95ea60d75fa4820cc0ae8afd119581ba --target eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed \\
      --definition btc-usd.definition.json

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verify a report of a price feed, as `r3e feeds report --save FILE` saves it, or a batch of them, as `r3e feeds batch` does.
///
/// Each of its signatures must hold for its target, by the key that an attestation document names, and the document must satisfy
/// the policy. The document is appraised as of the time at which it was made, unless --at says otherwise. Whether the price is still
/// valid is not judged: the report says until when it is.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FeedReportArgs {
    /// The signed report with the document that attests its keys; - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Use this attestation of the oracle's keys instead of the one in the report's file
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// How the file given by --document is encoded
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Require the report to be of this feed
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,

    /// Require the feed to be this tenant's
    #[arg(long, value_name = "HEX", value_parser = parse_tenant)]
    tenant: Option<TenantId>,

    /// Require a signature for this contract, as eip155:1:0x… or neo-n3:860833102:0x…; may be repeated
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<Target>,

    /// Require the feed to be defined by this file: `definition` of `r3e feeds show NAME --json`
    #[arg(long, value_name = "FILE.json")]
    definition: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &FeedReportArgs) -> Outcome {
    Outcome::of(judge(args), args.json)
}

/// The verdict; an error where the files do not even hold a report and a document.
fn judge(args: &FeedReportArgs) -> Result<Report, VerifyError> {
    // The policy first: without one there is nothing to verify against, whatever the files hold.
    let prepared = args.policy.prepare()?;
    let definition = args.definition.as_deref().map(digest_of).transpose()?;
    let text = read_limited(&args.file, MAX_BATCH_FILE_BYTES)?;
    let no_report = |error: &dyn std::fmt::Display| VerifyError::SignedReport(error.to_string());
    let signed: Signed = serde_json::from_slice(&text).map_err(|error| no_report(&error))?;
    let (document, reports) = signed.split();
    for (one, _) in &reports {
        one.report.check().map_err(|error| no_report(&error))?;
    }
    let document = attesting_document(args.document.as_deref(), args.format, document.as_deref())?
        .ok_or(VerifyError::NoDocument)?;
    let verdict = prepared.judge(&document, |result| verify(&reports, result, args, definition))?;
    let wanted = reports.iter().filter(|(one, _)| args.feed.as_ref().is_none_or(|feed| *feed == one.feed));
    let mut seen: Vec<_> = wanted.map(|(one, _)| SeenReport::new(one)).collect();
    Ok(match reports.first() {
        Some((_, Some((batch, _)))) => {
            let (root, size) = (Hash32(batch.root).to_string(), batch.size);
            verdict.with_batch(SeenBatch { root, size, reports: seen })
        }
        _ => match seen.pop() {
            Some(report) => verdict.with_feed_report(report),
            None => verdict,
        },
    })
}

/// What a file holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum Signed {
    Report(SignedReport),
    Batch(SignedBatch),
}

/// A report, and where in which batch it is where the batch is what was signed.
type One = (SignedReport, Option<(Batch, Proof)>);

impl Signed {
    /// The document, and the reports.
    fn split(self) -> (Option<String>, Vec<One>) {
        match self {
            Self::Report(mut report) => (report.document.take(), vec![(report, None)]),
            Self::Batch(SignedBatch { tenant, root, reports, signatures, document }) => {
                let of = |BatchedReport { feed, report, proof }| {
                    let signatures = signatures.clone();
                    let batch = Batch { root: root.0, size: proof.size };
                    (SignedReport { feed, tenant, report, signatures, document: None }, Some((batch, proof)))
                };
                (document, reports.into_iter().map(of).collect())
            }
        }
    }
}

/// Whether all were signed by the keys that the appraised document names, and the one that was asked for is among them.
fn verify(
    reports: &[One],
    result: &AttestationResult,
    args: &FeedReportArgs,
    definition: Option<[u8; 32]>,
) -> Result<(), VerifyError> {
    let is_wanted = |(signed, _): &&One| args.feed.as_ref().is_none_or(|feed| *feed == signed.feed);
    if !reports.iter().any(|one| is_wanted(&one)) {
        return Err(VerifyError::OtherFeed);
    }
    for one in reports {
        // What is asked for of the definition, is of the feed that is.
        let definition = definition.filter(|_| is_wanted(&one));
        verify_one(one, result, args, definition)?;
    }
    Ok(())
}

fn verify_one(
    (signed, of_batch): &One,
    result: &AttestationResult,
    args: &FeedReportArgs,
    definition: Option<[u8; 32]>,
) -> Result<(), VerifyError> {
    let signers = OracleKeys::of(result).ok_or(VerifyError::NoOracleKey)?;
    if signed.tenant != signers.tenant || args.tenant.is_some_and(|tenant| tenant != signers.tenant) {
        return Err(VerifyError::OtherTenant);
    }
    // What is signed is the identifier; the name beside it must be its own.
    if FeedId::named(&signed.feed) != Some(signed.report.feed_id) {
        return Err(VerifyError::OtherFeed);
    }
    if let Some((batch, proof)) = of_batch {
        let (feed, report) = (signed.feed.clone(), &signed.report);
        batch
            .verify(report, proof)
            .map_err(|error| VerifyError::NotOfBatch { feed, why: error.to_string() })?;
    }
    if definition.is_some_and(|digest| digest != signed.report.config_digest) {
        return Err(VerifyError::OtherDefinition);
    }
    if signed.signatures.is_empty() {
        return Err(VerifyError::NoSignature);
    }
    for signature in &signed.signatures {
        let wrong = |what| VerifyError::ReportSignature { target: signature.target.to_string(), what };
        check(signed, of_batch.as_ref().map(|(batch, _)| batch), signature, &signers).map_err(wrong)?;
    }
    let is_signed_for = |target: &&Target| signed.signatures.iter().any(|one| one.target == **target);
    match args.targets.iter().find(|target| !is_signed_for(target)) {
        Some(target) => Err(VerifyError::NoTarget { target: target.to_string() }),
        None => Ok(()),
    }
}

/// Whether a signature holds. What is wrong with it, else.
fn check(
    signed: &SignedReport,
    batch: Option<&Batch>,
    signature: &Signature,
    signers: &OracleKeys,
) -> Result<(), &'static str> {
    let digest = match batch {
        Some(batch) => signature.target.batch_digest(batch),
        None => signature.target.digest(&signed.report),
    };
    let digest = digest.map_err(|_| "it names no chain")?;
    if digest != signature.digest.0 {
        return Err("its digest is not of this report, or its batch, for this target");
    }
    signers.check(Some(&signature.target), &digest, &signature.signer, &signature.signature.0)
}

fn digest_of(path: &Path) -> Result<[u8; 32], VerifyError> {
    let text = read_limited(path, MAX_POLICY_FILE_BYTES)?;
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| VerifyError::Definition { path: path.to_owned(), why: error.to_string() })?;
    Ok(config_digest(&value))
}
