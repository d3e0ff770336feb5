//! `r3e-verify report`: verifies a price feed's signed report, and that the keys which signed it are an attested appliance's.

use std::path::{Path, PathBuf};

use clap::Args;
use r3e_attestation::AttestationResult;
use r3e_proto::api::feeds::{BatchedReport, Signature, SignedBatch, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::limits::MAX_BATCH_REPORTS;
use r3e_proto::report::{Batch, FeedId, Proof, Report as OfFeed, config_digest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{
    error::VerifyError,
    input::{Format, attesting_document, parse_tenant, read_limited},
    limits::{MAX_BATCH_FILE_BYTES, MAX_POLICY_FILE_BYTES, MAX_SIGNATURES},
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

    /// Require the feed to be defined by this file: `definition` of `r3e feeds show NAME --json`. Of a batch, with --feed
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
    let signed = Signed::read(&read_limited(&args.file, MAX_BATCH_FILE_BYTES)?)?;
    if definition.is_some() && signed.batch.is_some() && args.feed.is_none() {
        return Err(VerifyError::WhoseDefinition);
    }
    let document = attesting_document(args.document.as_deref(), args.format, signed.document.as_deref())?
        .ok_or(VerifyError::NoDocument)?;
    let verdict = prepared.judge(&document, |result| signed.verify(result, args, definition))?;
    let wanted = signed.entries.iter().filter(|one| is_wanted(args, &one.feed));
    let mut seen: Vec<_> = wanted
        .map(|one| SeenReport::new(&one.feed, signed.tenant, &one.report, &signed.signatures))
        .collect();
    Ok(match (&signed.batch, seen.pop()) {
        (Some(batch), last) => {
            seen.extend(last);
            let (root, size) = (Hash32(batch.root).to_string(), batch.size);
            verdict.with_batch(SeenBatch { root, size, reports: seen })
        }
        (None, Some(report)) => verdict.with_feed_report(report),
        (None, None) => verdict,
    })
}

/// Whether a feed is the one that was asked for, if one was.
fn is_wanted(args: &FeedReportArgs, feed: &str) -> bool {
    args.feed.as_ref().is_none_or(|wanted| wanted == feed)
}

/// What a file holds: one report, or some of a batch.
struct Signed {
    tenant: TenantId,
    entries: Vec<Entry>,
    /// Of the batch, where one was signed; else of the one report.
    signatures: Vec<Signature>,
    batch: Option<Batch>,
    document: Option<String>,
}

/// A report.
struct Entry {
    feed: String,
    report: OfFeed,
    /// Of the batch, where there is one.
    proof: Option<Proof>,
}

/// What tells the two forms of a file apart.
#[derive(Deserialize)]
struct Form {
    reports: Option<IgnoredAny>,
}

impl Signed {
    fn read(text: &[u8]) -> Result<Self, VerifyError> {
        let wrong = |error: &dyn std::fmt::Display| VerifyError::SignedReport(error.to_string());
        let form: Form = serde_json::from_slice(text).map_err(|error| wrong(&error))?;
        let this = if form.reports.is_some() {
            Self::of_batch(serde_json::from_slice(text).map_err(|error| wrong(&error))?)?
        } else {
            let SignedReport { feed, tenant, report, signatures, document } =
                serde_json::from_slice(text).map_err(|error| wrong(&error))?;
            Self {
                tenant,
                entries: vec![Entry { feed, report, proof: None }],
                signatures,
                batch: None,
                document,
            }
        };
        for Entry { feed, report, .. } in &this.entries {
            report.check().map_err(|error| wrong(&format!("{feed}: {error}")))?;
        }
        // Each costs the recovery of a key.
        let of = |at: usize| this.signatures.get(at).map(|signature| signature.target);
        let count = this.signatures.len();
        if count > MAX_SIGNATURES || (1..count).any(|at| (0..at).any(|before| of(before) == of(at))) {
            return Err(wrong(&format!(
                "it has at most {MAX_SIGNATURES} signatures, each for another target"
            )));
        }
        Ok(this)
    }

    fn of_batch(signed: SignedBatch) -> Result<Self, VerifyError> {
        let SignedBatch { tenant, root, reports, signatures, document } = signed;
        let most = usize::try_from(MAX_BATCH_REPORTS).unwrap_or(usize::MAX);
        let Some(first) = reports.first().filter(|_| reports.len() <= most) else {
            return Err(VerifyError::SignedReport(format!("a batch has 1 to {MAX_BATCH_REPORTS} reports")));
        };
        let batch = Batch { root: root.0, size: first.proof.size };
        let of = |BatchedReport { feed, report, proof }| Entry { feed, report, proof: Some(proof) };
        let entries = reports.into_iter().map(of).collect();
        Ok(Self { tenant, entries, signatures, batch: Some(batch), document })
    }

    /// Whether all was signed by the keys that the appraised document names, and the one that was asked for is among them.
    fn verify(
        &self,
        result: &AttestationResult,
        args: &FeedReportArgs,
        definition: Option<[u8; 32]>,
    ) -> Result<(), VerifyError> {
        let signers = OracleKeys::of(result).ok_or(VerifyError::NoOracleKey)?;
        if self.tenant != signers.tenant || args.tenant.is_some_and(|tenant| tenant != signers.tenant) {
            return Err(VerifyError::OtherTenant);
        }
        if !self.entries.iter().any(|one| is_wanted(args, &one.feed)) {
            return Err(VerifyError::OtherFeed);
        }
        let mut before = None;
        for entry in &self.entries {
            self.verify_entry(entry, before)?;
            before = entry.proof.as_ref().map(|proof| proof.index);
            // What is asked for of the definition, is of the feed that is.
            let asked = definition.filter(|_| is_wanted(args, &entry.feed));
            if asked.is_some_and(|digest| digest != entry.report.config_digest) {
                return Err(VerifyError::OtherDefinition);
            }
        }
        if self.signatures.is_empty() {
            return Err(VerifyError::NoSignature);
        }
        for signature in &self.signatures {
            let wrong = |what| VerifyError::ReportSignature { target: signature.target.to_string(), what };
            self.check(signature, &signers).map_err(wrong)?;
        }
        let is_signed_for = |target: &&Target| self.signatures.iter().any(|one| one.target == **target);
        match args.targets.iter().find(|target| !is_signed_for(target)) {
            Some(target) => Err(VerifyError::NoTarget { target: target.to_string() }),
            None => Ok(()),
        }
    }

    /// Whether a report is of its feed, and in the batch, behind the one before: no report stands for two.
    fn verify_entry(&self, entry: &Entry, before: Option<u32>) -> Result<(), VerifyError> {
        let Entry { feed, report, proof } = entry;
        // What is signed is the identifier; the name beside it must be its own.
        if FeedId::named(feed) != Some(report.feed_id) {
            return Err(VerifyError::OtherFeed);
        }
        let (Some(batch), Some(proof)) = (&self.batch, proof) else { return Ok(()) };
        let wrong = |why: String| VerifyError::NotOfBatch { feed: feed.clone(), why };
        if before.is_some_and(|before| proof.index <= before) {
            return Err(wrong("reports stand in the order of the tree, each once".to_owned()));
        }
        batch.verify(report, proof).map_err(|error| wrong(error.to_string()))
    }

    /// Whether a signature holds. What is wrong with it, else.
    fn check(&self, signature: &Signature, signers: &OracleKeys) -> Result<(), &'static str> {
        let (digest, whose) = match (&self.batch, self.entries.first()) {
            (Some(batch), _) => {
                (signature.target.batch_digest(batch), "its digest is not of this batch for this target")
            }
            (None, Some(one)) => {
                (signature.target.digest(&one.report), "its digest is not of this report for this target")
            }
            (None, None) => return Err("there is no report"),
        };
        let digest = digest.map_err(|_| "it names no chain")?;
        if digest != signature.digest.0 {
            return Err(whose);
        }
        signers.check(Some(&signature.target), &digest, &signature.signer, &signature.signature.0)
    }
}

fn digest_of(path: &Path) -> Result<[u8; 32], VerifyError> {
    let text = read_limited(path, MAX_POLICY_FILE_BYTES)?;
    let value: serde_json::Value = serde_json::from_slice(&text)
        .map_err(|error| VerifyError::Definition { path: path.to_owned(), why: error.to_string() })?;
    Ok(config_digest(&value))
}
