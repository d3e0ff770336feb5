//! `r3e-verify data`: verifies what an HTTPS endpoint answered, and that the keys which signed it are an attested appliance's.

use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use r3e_attestation::{AttestationResult, UnixTime};
use r3e_proto::{
    api::{
        data::{ObservationSignature, SignedObservation},
        feeds::Target,
        identity::TenantId,
        wallets::Hash32,
    },
    observation::{Observation, request_hash},
};

use crate::{
    error::VerifyError,
    input::{Format, attesting_document, parse_tenant, read_limited},
    limits::MAX_DATA_FILE_BYTES,
    oracle_keys::OracleKeys,
    outcome::Outcome,
    policy_args::{PolicyArgs, Prepared},
    report::{NO_CHAIN, Report, SeenData, Settled},
};

const EXAMPLES: &str = "\
Examples:
  Was the release that I built answered this, by whoever has that certificate?
    r3e-verify data rate.json --reference-values releases.json --document oracle.document --certificate 0x8b…

  The same of one tenant's function, one URL, one place in the answer, no headers, in the last five minutes, for one contract:
    r3e-verify data rate.json --reference-values releases.json --document oracle.document --certificate 0x8b… \\
      --tenant 95ea60d75fa4820cc0ae8afd119581ba --function rates --url https://api.example.com/v1/rate?of=EUR \\
      --path data.rate --no-headers --max-age-ms 300000 --target eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed

Exit status:
  0  accepted
  1  rejected; the reason is printed
  2  wrong usage, no policy, or a file that cannot be read";

/// Verify what an HTTPS endpoint answered a function, as getCustomData gives it.
///
/// Each of its signatures must hold for its target, by the key that an attestation document names, and the document must satisfy the policy.
/// Where the file has the body, it must be the one that was answered. The document is appraised as of the time at which it was made, unless
/// --at says otherwise. The function chooses whom it asks for what, and how often: require --url and --path, and --no-headers or each
/// --header, since headers may choose what is answered under a URL. Whoever configures an appliance, who may be the tenant, may name roots that can
/// answer for every host: so the certificate is to be named, or --any-certificate said. That an endpoint tells the truth is not judged.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DataArgs {
    /// The signed answer; - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Use this attestation of the oracle's keys instead of the one in the file
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,

    /// How the file given by --document is encoded
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Require the function to be this tenant's
    #[arg(long, value_name = "HEX", value_parser = parse_tenant)]
    tenant: Option<TenantId>,

    /// Require a function of this name to have asked; which code had the name then is not said
    #[arg(long, value_name = "NAME", requires = "tenant")]
    function: Option<String>,

    /// Require this URL to have been asked, in its normal form
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Require the value to stand here in the answer
    #[arg(long, value_name = "PATH")]
    path: Option<String>,

    /// Require the request to have had this header, and no others than those named; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse_header, conflicts_with = "no_headers")]
    headers: Vec<(String, Vec<u8>)>,

    /// Require the request to have had no headers of the function's
    #[arg(long)]
    no_headers: bool,

    /// Require the server to have proved its name with this certificate: SHA-256 of its DER form
    #[arg(long, value_name = "0xHEX", required_unless_present = "any_certificate")]
    certificate: Option<Hash32>,

    /// Accept any certificate: whoever configured the appliance can have answered this themselves
    #[arg(long, conflicts_with = "certificate")]
    any_certificate: bool,

    /// Require a signature for this contract, as eip155:1:0x… or neo-n3:860833102:0x…; may be repeated
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<Target>,

    /// Refuse answers that were older than this at the time of --at, or now
    #[arg(long, value_name = "MILLISECONDS")]
    max_age_ms: Option<u64>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &DataArgs) -> Outcome {
    Outcome::of(judge(args), args.json)
}

/// The verdict; an error where the files do not even hold an answer and a document.
fn judge(args: &DataArgs) -> Result<Report, VerifyError> {
    // The policy first: without one there is nothing to verify against, whatever the files hold.
    let prepared = args.policy.prepare()?;
    let text = read_limited(&args.file, MAX_DATA_FILE_BYTES)?;
    let signed: SignedObservation =
        serde_json::from_slice(&text).map_err(|error| VerifyError::SignedData(error.to_string()))?;
    let observation = signed.observation();
    observation.check().map_err(|error| VerifyError::SignedData(error.to_string()))?;
    let document = attesting_document(args.document.as_deref(), args.format, signed.document.as_deref())?
        .ok_or(VerifyError::NoDataDocument)?;
    let report = prepared.judge(&document, |result| {
        check(&signed, &observation, result, args)?;
        is_asked_for(&observation, args)?;
        is_recent(&observation, args, &prepared)
    })?;
    let settled = Settled {
        certificate: args.certificate.is_some(),
        headers: args.no_headers || !args.headers.is_empty(),
    };
    Ok(report.with_data(SeenData::new(&signed, settled)))
}

/// Whether the answer was signed by the keys that the appraised document names.
fn check(
    signed: &SignedObservation,
    observation: &Observation,
    result: &AttestationResult,
    args: &DataArgs,
) -> Result<(), VerifyError> {
    let keys = OracleKeys::of(result).ok_or(VerifyError::NoDataKey)?;
    if signed.tenant != keys.tenant || args.tenant.is_some_and(|tenant| tenant != keys.tenant) {
        return Err(VerifyError::OtherDataTenant);
    }
    if signed.signatures.is_empty() {
        return Err(VerifyError::NoDataSignature);
    }
    for signature in &signed.signatures {
        let target = signature.target.map_or_else(|| NO_CHAIN.to_owned(), |target| target.to_string());
        holds(observation, signature, &keys).map_err(|what| VerifyError::DataSignature { target, what })?;
    }
    let is_signed_for = |target: &&Target| signed.signatures.iter().any(|one| one.target == Some(**target));
    if let Some(target) = args.targets.iter().find(|target| !is_signed_for(target)) {
        return Err(VerifyError::NoDataTarget { target: target.to_string() });
    }
    is_answered(signed)
}

/// Whether a signature holds. What is wrong with it, else.
fn holds(
    observation: &Observation,
    signature: &ObservationSignature,
    keys: &OracleKeys,
) -> Result<(), &'static str> {
    let target = signature.target.as_ref();
    let digest = observation.digest(target).map_err(|_| "it names no chain")?;
    if digest != signature.digest.0 {
        return Err("its digest is not of this answer for this target");
    }
    keys.check(target, &digest, &signature.signer, &signature.signature.0)
}

/// Whether the body, if there is one, is what was answered.
fn is_answered(signed: &SignedObservation) -> Result<(), VerifyError> {
    let body = match (&signed.body, &signed.body_base64) {
        (None, None) => return Ok(()),
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(text)) => {
            STANDARD.decode(text).map_err(|_| VerifyError::OtherBody("it is no standard base64"))?
        }
        (Some(_), Some(_)) => return Err(VerifyError::OtherBody("it is there twice")),
    };
    if digest(&SHA256, &body).as_ref() == signed.response_hash.0 {
        return Ok(());
    }
    Err(VerifyError::OtherBody("its hash is another"))
}

/// Whether it is what the options name.
fn is_asked_for(observation: &Observation, args: &DataArgs) -> Result<(), VerifyError> {
    if args.function.as_ref().is_some_and(|function| *function != observation.function) {
        return Err(VerifyError::OtherAsker);
    }
    if args.url.as_ref().is_some_and(|url| *url != observation.url) {
        return Err(VerifyError::OtherUrl);
    }
    if args.path.as_ref().is_some_and(|path| *path != observation.path) {
        return Err(VerifyError::OtherPath);
    }
    if args.no_headers || !args.headers.is_empty() {
        let headers = args.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        if request_hash("GET", &observation.url, headers) != observation.request_hash {
            return Err(VerifyError::OtherHeaders);
        }
    }
    if args.certificate.is_some_and(|certificate| certificate != observation.certificate) {
        return Err(VerifyError::OtherCertificate);
    }
    Ok(())
}

/// Whether it is as young as asked for, by the clock that appraises.
fn is_recent(observation: &Observation, args: &DataArgs, prepared: &Prepared) -> Result<(), VerifyError> {
    let Some(max_age_ms) = args.max_age_ms else { return Ok(()) };
    let (at_ms, observed_ms) = (prepared.at.as_millis(), observation.observed_at_s.saturating_mul(1_000));
    let what = if observed_ms > at_ms.saturating_add(args.policy.clock_skew_ms()) {
        "which is yet to come"
    } else if at_ms.saturating_sub(observed_ms) > max_age_ms {
        "longer ago than asked for"
    } else {
        return Ok(());
    };
    let observed_at = UnixTime::from_secs(observation.observed_at_s).to_string();
    Err(VerifyError::DataTime { observed_at, what })
}

fn parse_header(text: &str) -> Result<(String, Vec<u8>), String> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME: VALUE")?;
    // As a function sends it: one byte a character, without blanks around.
    let value = value.trim_matches([' ', '\t']).chars().map(u8::try_from).collect::<Result<_, _>>();
    Ok((name.to_owned(), value.map_err(|_| "a header's value has no character over U+00FF")?))
}
