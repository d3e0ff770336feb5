//! `r3e-verify inspect`: shows a document without trusting it.

use clap::Args;

use crate::{
    error::VerifyError,
    input::EvidenceArgs,
    outcome::Outcome,
    report::{Report, Seen},
};

const EXAMPLES: &str = "\
Examples:
  r3e-verify inspect evidence.bin
  r3e-verify inspect evidence.b64 --json | jq .pcrs

Exit status:
  0  shown
  1  not an attestation document
  2  wrong usage, or a file that cannot be read";

/// Show everything that an attestation document says. Verifies nothing.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    evidence: EvidenceArgs,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    let inspected = args.evidence.read().and_then(|document| Ok(r3e_attestation::inspect(&document)?));
    match inspected {
        Ok(inspection) => {
            let seen = Seen::new(&inspection);
            Outcome::shown(if args.json { seen.json() } else { seen.human() })
        }
        Err(error @ (VerifyError::Encoding { .. } | VerifyError::Appraisal(_))) => {
            Outcome::verdict(&Report::rejected(&error, None, None, Vec::new()), args.json)
        }
        Err(error) => Outcome::unusable(&error, args.json),
    }
}
