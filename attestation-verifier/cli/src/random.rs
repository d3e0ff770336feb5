//! `r3e-verify random`: verifies a random number's proof, and that the key which drew it is an attested appliance's.

use std::path::PathBuf;

use clap::Args;
use r3e_attestation::AttestationResult;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::random::Random;
use r3e_proto::api::wallets::HexBytes;
use r3e_proto::channel::statement::Statement;
use r3e_proto::random::{MAX_NUMBER, Occasion};
use r3e_vrf::{Proof, PublicKey};

use crate::{
    error::VerifyError,
    input::{Format, attesting_document, parse_tenant, read_limited},
    limits::MAX_EVIDENCE_FILE_BYTES,
    outcome::Outcome,
    policy_args::PolicyArgs,
    report::{Report, SeenRandom},
};

const EXAMPLES: &str = "\
Examples:
  Could the release that I built draw no other number than this?
    r3e-verify random draw.json --reference-values releases.json

  The same of a draw that was announced: with this key, this block's hash as the seed, 1 to 100, by this function:
    r3e-verify random draw.json --reference-values releases.json --min 1 --max 100 --function raffle \\
      --seed 0x9b83c12c69edb74f6c8dd5d052765c1adf940e320bd1291696e6fa07829eee71 \\
      --key 0x0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verify a random number, as `r3e random draw --save FILE` saves it, or as a function's getRandomness gives it.
///
/// The proof (RFC 9381) must hold for what the number was drawn for, by the key that an attestation document names, and the document must satisfy the
/// policy. The document is appraised as of the time at which it was made, unless --at says otherwise. Whoever may choose what a number is drawn
/// for, or with which key, chooses among numbers: require the seed and the key that were announced beforehand. A tenant has another key in each appliance.
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

    /// Require this key, as `r3e random key` showed it before anybody knew the seed
    #[arg(long, value_name = "0xHEX")]
    key: Option<HexBytes>,

    /// Require the number to be drawn for this seed; by the API, unless --function names who gave it
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,

    /// Require a function of this name to have drawn it
    #[arg(long, value_name = "NAME")]
    function: Option<String>,

    /// Require it to be of this invocation
    #[arg(long, value_name = "HEX", value_parser = parse_id)]
    invocation: Option<[u8; 16]>,

    /// Require it to be of this job
    #[arg(long, value_name = "HEX", value_parser = parse_id)]
    job: Option<[u8; 16]>,

    /// Require so many to be drawn before it, by the invocation or by each attempt at the job
    #[arg(long, value_name = "N")]
    index: Option<u32>,

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
    Outcome::of(judge(args), args.json)
}

/// The verdict; an error where the files do not even hold a number and a document.
fn judge(args: &RandomArgs) -> Result<Report, VerifyError> {
    // The policy first: without one there is nothing to verify against, whatever the files hold.
    let prepared = args.policy.prepare()?;
    let text = read_limited(&args.file, MAX_EVIDENCE_FILE_BYTES)?;
    let random: Random =
        serde_json::from_slice(&text).map_err(|error| VerifyError::RandomNumber(error.to_string()))?;
    let occasion =
        Occasion::decode(&random.message.0).map_err(|error| VerifyError::RandomNumber(error.to_string()))?;
    let document = attesting_document(args.document.as_deref(), args.format, random.document.as_deref())?
        .ok_or(VerifyError::NoRandomDocument)?;
    let report = prepared.judge(&document, |result| verify(&random, &occasion, result, args))?;
    Ok(report.with_random(SeenRandom::new(&random, &occasion, args.key.is_some())))
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
    if args.key.as_ref().is_some_and(|asked| asked.0 != key) {
        return Err(VerifyError::OtherKey);
    }
    of_occasion(occasion, args)?;
    if args.min.is_some_and(|min| min != random.min) || args.max.is_some_and(|max| max != random.max) {
        return Err(VerifyError::OtherRange);
    }
    Ok(())
}

/// Whether it was drawn for what was asked for.
fn of_occasion(occasion: &Occasion, args: &RandomArgs) -> Result<(), VerifyError> {
    let (mut function, mut seed, mut invocation, mut job, mut index) = (None, None, None, None, None);
    match occasion {
        Occasion::Seed { seed: of } => seed = Some(of),
        Occasion::FunctionSeed { function: by, seed: of } => (function, seed) = (Some(by), Some(of)),
        Occasion::Invocation { function: by, invocation: of, index: at } => {
            (function, invocation, index) = (Some(by), Some(of), Some(at));
        }
        Occasion::Job { function: by, job: of, index: at } => {
            (function, job, index) = (Some(by), Some(of), Some(at));
        }
    }
    // Each function has numbers of its own for one seed: one that nobody named is not the API's.
    let by_whom = args.function.as_ref();
    if args.seed.is_some() && (args.seed.as_ref() != seed || by_whom != function) {
        return Err(if by_whom == function { VerifyError::OtherSeed } else { VerifyError::OtherFunction });
    }
    if by_whom.is_some() && by_whom != function {
        return Err(VerifyError::OtherFunction);
    }
    let is_other_run = args.invocation.is_some() && args.invocation.as_ref() != invocation
        || args.job.is_some() && args.job.as_ref() != job
        || args.index.is_some() && args.index.as_ref() != index;
    if is_other_run { Err(VerifyError::OtherRun) } else { Ok(()) }
}

fn parse_id(text: &str) -> Result<[u8; 16], String> {
    let bytes = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "an id has 32 hexadecimal digits".to_owned())
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
    if random.max > MAX_NUMBER {
        return Err("its range ends above 2^53 - 1");
    }
    if output.in_range(random.min, random.max) != Some(random.value) {
        return Err("the number is not the one that the output gives in this range");
    }
    Ok(())
}
