//! `r3e-verify document`: appraises an attestation document.

use clap::Args;
use r3e_attestation::{appraise, inspect};

use crate::{
    error::VerifyError,
    input::EvidenceArgs,
    outcome::Outcome,
    policy_args::{PolicyArgs, Prepared},
    report::{Report, Seen},
};

const EXAMPLES: &str = "\
Examples:
  Is this enclave running the release I built?
    r3e-verify document evidence.bin --reference-values releases.json

  The same with the values at hand, for a request that carried a nonce:
    r3e-verify document evidence.bin --pcr 0=ec74… --pcr 1=fa25… --pcr 2=56ba… --nonce 6e6f6e6365

  Audit a document that was saved in the past, from the standard input:
    r3e-verify document - --reference-values releases.json --at 2024-11-30T16:22:49Z < saved.b64

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Appraise an attestation document against reference values and a policy.
///
/// Checks the form, the certificate chain up to the AWS root that is built in, the signature, the time, debug mode,
/// the PCRs and whatever else is required. A policy must pin the image: by --reference-values, by --pcr 0, or
/// by --pcr 1 and --pcr 2.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DocumentArgs {
    #[command(flatten)]
    evidence: EvidenceArgs,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &DocumentArgs) -> Outcome {
    let prepared = match args.policy.prepare() {
        Ok(prepared) => prepared,
        Err(error) => return Outcome::unusable(&error, args.json),
    };
    match args.evidence.read() {
        Ok(document) => Outcome::verdict(&judge(&document, &prepared), args.json),
        Err(error) if error.is_verdict() => {
            Outcome::verdict(&Report::rejected(&error, None, Some(prepared.at), Vec::new()), args.json)
        }
        Err(error) => Outcome::unusable(&error, args.json),
    }
}

fn judge(document: &[u8], prepared: &Prepared) -> Report {
    let inspection = inspect(document).ok();
    let seen = inspection.as_ref().map(Seen::new);
    match appraise(document, &prepared.policy, prepared.at) {
        Ok(result) => Report::accepted(&result, seen, prepared.at),
        Err(error) => {
            let error = VerifyError::Appraisal(error);
            let found = inspection.as_ref();
            let differences = found.map(|found| prepared.differences(&error, found)).unwrap_or_default();
            Report::rejected(&error, seen, Some(prepared.at), differences)
        }
    }
}
