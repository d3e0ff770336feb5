//! `r3e-verify receipt`: verifies a signed receipt, and that the key which signed it is an attested appliance's.

use std::path::PathBuf;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use clap::Args;
use r3e_attestation::AttestationResult;
use r3e_proto::channel::CONFIGURATION_PCR;
use r3e_proto::channel::binding::pcr_extended_once;
use r3e_proto::channel::statement::Statement;
use r3e_proto::receipt::{Bundle, Receipt};

use crate::{
    error::VerifyError,
    input::{Format, read_document, read_limited},
    limits::MAX_EVIDENCE_FILE_BYTES,
    outcome::Outcome,
    policy_args::PolicyArgs,
    report::{Report, SeenReceipt},
};

const EXAMPLES: &str = "\
Examples:
  Did the release I built run this function on this input?
    r3e-verify receipt price.receipt --reference-values releases.json

  The same with an attestation of the report key that was kept apart:
    r3e-verify receipt price.receipt --document report-key.bin --reference-values releases.json --json

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verify a receipt, as `r3e functions invoke --receipt FILE` saves it.
///
/// The receipt's signature must be that of the report key which an attestation document names, and the document must
/// satisfy the policy. The document is appraised as of the time at which it was made, unless --at says otherwise: a
/// receipt stays valid when the certificates have expired.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReceiptArgs {
    /// The receipt with the document that attests its key; - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Use this attestation of the report key instead of the one in the receipt's file
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// How the file given by --document is encoded
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &ReceiptArgs) -> Outcome {
    Outcome::of(judge(args), args.json)
}

/// The verdict; an error where the files do not even hold a receipt and a document.
fn judge(args: &ReceiptArgs) -> Result<Report, VerifyError> {
    // The policy first: without one there is nothing to verify against, whatever the files hold.
    let prepared = args.policy.prepare()?;
    let bundle = Bundle::decode(&read_limited(&args.file, MAX_EVIDENCE_FILE_BYTES)?)?;
    let document = match &args.document {
        Some(file) => read_document(file, args.format)?,
        None => bundle.document,
    };
    let claimed = Receipt::read_unverified(&bundle.receipt)?;
    let report = prepared.judge(&document, |result| verify(&bundle.receipt, result))?;
    Ok(report.with_receipt(SeenReceipt::new(&claimed)))
}

/// Whether the receipt was signed by the key that the appraised document names, under the configuration that it
/// measured.
fn verify(signed: &[u8], result: &AttestationResult) -> Result<(), VerifyError> {
    let statement = Statement::decode(result.user_data().unwrap_or_default());
    let Ok(Statement::ReportKey { public_key }) = statement else {
        return Err(VerifyError::NoReportKey);
    };
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    let receipt = Receipt::verify(signed, |message, signature| key.verify(message, signature).is_ok())?;
    if result.pcr(CONFIGURATION_PCR) == Some(&pcr_extended_once(&receipt.configuration)) {
        Ok(())
    } else {
        Err(VerifyError::OtherConfiguration)
    }
}
