//! `r3e-verify random`: verifies a random number's proof, and that the key which drew it is an attested appliance's.

use std::path::PathBuf;

use clap::Args;
use r3e_attestation::{AttestationResult, appraise, inspect};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::random::Random;
use r3e_proto::channel::statement::Statement;
use r3e_proto::random::Occasion;
use r3e_vrf::{Proof, PublicKey};

use crate::{
    error::VerifyError,
    input::{Format, attesting_document, parse_tenant, read_limited},
    limits::MAX_EVIDENCE_FILE_BYTES,
    outcome::Outcome,
    policy_args::PolicyArgs,
    report::{Report, Seen, SeenRandom},
};

const EXAMPLES: &str = "\
Examples:
  Could the release that I built draw no other number than this?
    r3e-verify random draw.json --reference-values releases.json

  The same of a draw that was announced: this block's hash as the seed, 1 to 100, by this tenant's function:
    r3e-verify random draw.json --reference-values releases.json --min 1 --max 100 --function raffle \\
      --seed 0x9b83c12c69edb74f6c8dd5d052765c1adf940e320bd1291696e6fa07829eee71 --tenant 95ea60d75fa4820cc0ae8afd119581ba

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verify a random number, as `r3e random draw --save FILE` saves it, or as a function's getRandomness gives it.
///
/// The proof (RFC 9381) must hold for what the number was drawn for, by the key that an attestation document names, and the document must satisfy the
/// policy. The document is appraised as of the time at which it was made, unless --at says otherwise. Whoever may choose what a number is drawn
/// for chooses among numbers: require the seed that was fixed beforehand.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RandomArgs {
    /// The number with its proof; - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Use this attestation of the key instead of the one in the file
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// How the file given by --document is encoded
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Require the number to be drawn for this seed
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,

    /// Require a function of this name to have drawn it
    #[arg(long, value_name = "NAME")]
    function: Option<String>,

    /// Require the key to be this tenant's
    #[arg(long, value_name = "HEX", value_parser = parse_tenant)]
    tenant: Option<TenantId>,

    /// Require the range to begin here
    #[arg(long, value_name = "N")]
    min: Option<u64>,

    /// Require the range to end here
    #[arg(long, value_name = "N")]
    max: Option<u64>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &RandomArgs) -> Outcome {
    match judge(args) {
        Ok(report) => Outcome::verdict(&report, args.json),
        Err(error) if error.is_verdict() => {
            Outcome::verdict(&Report::rejected(&error, None, None, Vec::new()), args.json)
        }
        Err(error) => Outcome::unusable(&error, args.json),
    }
}

/// The verdict; an error where the files do not even hold a number and a document.
fn judge(args: &RandomArgs) -> Result<Report, VerifyError> {
    // The policy first: without one there is nothing to verify against, whatever the files hold.
    let mut prepared = args.policy.prepare()?;
    let text = read_limited(&args.file, MAX_EVIDENCE_FILE_BYTES)?;
    let random: Random =
        serde_json::from_slice(&text).map_err(|error| VerifyError::RandomNumber(error.to_string()))?;
    let occasion =
        Occasion::decode(&random.message.0).map_err(|error| VerifyError::RandomNumber(error.to_string()))?;
    let document = attesting_document(args.document.as_deref(), args.format, random.document.as_deref())?
        .ok_or(VerifyError::NoRandomDocument)?;
    let inspection = inspect(&document)?;
    if !args.policy.names_time() {
        prepared.at = inspection.timestamp();
    }
    let at = prepared.at;
    let verdict = appraise(&document, &prepared.policy, at)
        .map_err(VerifyError::from)
        .and_then(|result| verify(&random, &occasion, &result, args).map(|()| result));
    let (document_seen, random_seen) = (Some(Seen::new(&inspection)), SeenRandom::new(&random, &occasion));
    Ok(match verdict {
        Ok(result) => Report::accepted(&result, document_seen, at).with_random(random_seen),
        Err(error) => {
            let differences = prepared.differences(&error, &inspection);
            Report::rejected(&error, document_seen, Some(at), differences).with_random(random_seen)
        }
    })
}

/// Whether the key that the appraised document names drew the number, for what was asked for.
fn verify(
    random: &Random,
    occasion: &Occasion,
    result: &AttestationResult,
    args: &RandomArgs,
) -> Result<(), VerifyError> {
    let Ok(Statement::RandomKey { tenant, key }) = Statement::decode(result.user_data().unwrap_or_default())
    else {
        return Err(VerifyError::NoRandomKey);
    };
    if args.tenant.is_some_and(|asked| asked.0 != tenant) {
        return Err(VerifyError::OtherRandomTenant);
    }
    prove(random, &key).map_err(VerifyError::RandomProof)?;
    let (function, seed) = match occasion {
        Occasion::Seed { seed } => (None, Some(seed)),
        Occasion::FunctionSeed { function, seed } => (Some(function), Some(seed)),
        Occasion::Invocation { function, .. } | Occasion::Job { function, .. } => (Some(function), None),
    };
    if args.seed.as_ref().is_some_and(|asked| Some(asked) != seed) {
        return Err(VerifyError::OtherSeed);
    }
    if args.function.as_ref().is_some_and(|asked| Some(asked) != function) {
        return Err(VerifyError::OtherFunction);
    }
    if args.min.is_some_and(|min| min != random.min) || args.max.is_some_and(|max| max != random.max) {
        return Err(VerifyError::OtherRange);
    }
    Ok(())
}

/// Whether the number is what this key draws. What is wrong with it, else.
fn prove(random: &Random, key: &[u8; 33]) -> Result<(), &'static str> {
    if random.key.0 != key {
        return Err("it names another key than the document attests");
    }
    let public = PublicKey::from_bytes(key).map_err(|_| "the document attests no point of P-256")?;
    let proof = random.proof.0.as_slice().try_into().map(Proof).map_err(|_| "it has no proof's length")?;
    let output = public
        .verify(&random.message.0, &proof)
        .map_err(|_| "it is not by the key that the document attests, or not of this message")?;
    if output.0 != random.output.0 {
        return Err("the output is not the proven one");
    }
    if output.in_range(random.min, random.max) != Some(random.value) {
        return Err("the number is not the one that the output gives in this range");
    }
    Ok(())
}
