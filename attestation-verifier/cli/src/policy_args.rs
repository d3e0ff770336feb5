//! The options that make an appraisal policy, shared by the subcommands that appraise.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AttestationResult, Inspection, Pcr, PolicyError, ReferenceValues,
    TrustAnchor, UnixTime, UnsafeTestRoot, appraise, inspect, parse_reference_values,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    error::VerifyError,
    input::read_limited,
    limits::{DEFAULT_CLOCK_SKEW_SECS, MAX_POLICY_FILE_BYTES},
    report::{Difference, Report, Seen, differences},
};

/// What the document must satisfy.
#[derive(Args, Debug)]
#[command(next_help_heading = "Appraisal policy")]
pub(crate) struct PolicyArgs {
    /// Require a PCR, 0 to 31, to have this value (96 hex digits); may be repeated
    #[arg(long = "pcr", value_name = "N=HEX", value_parser = parse_pcr)]
    pcrs: Vec<(u8, Pcr)>,

    /// Accept the releases in this file: {"releases":[{"name":"1.0","pcrs":{"0":"HEX","1":"HEX","2":"HEX"}}]}
    #[arg(long, value_name = "FILE.json")]
    reference_values: Option<PathBuf>,

    /// Require exactly this nonce
    #[arg(long, value_name = "HEX", value_parser = parse_hex)]
    nonce: Option<Bytes>,

    /// Require exactly this user data
    #[arg(long, value_name = "HEX", value_parser = parse_hex)]
    user_data: Option<Bytes>,

    /// Require exactly this public key
    #[arg(long, value_name = "HEX", value_parser = parse_hex)]
    public_key: Option<Bytes>,

    /// Appraise as of this time, in UNIX seconds or RFC 3339, instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<UnixTime>,

    /// Refuse documents older than this [default: as long as the certificates are valid, 3 hours]
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,

    /// Tolerate this difference between the clocks
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_CLOCK_SKEW_SECS)]
    clock_skew: u64,

    /// UNSAFE, for tests: trust this root certificate instead of the AWS root
    #[arg(long, value_name = "FILE.pem")]
    test_root: Option<PathBuf>,

    /// UNSAFE, for tests: accept enclaves in debug mode; their PCRs 0 to 2, which are zero, must still be named
    #[arg(long)]
    allow_debug: bool,
}

/// A policy, the time it is applied at, and the values it names.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) policy: AppraisalPolicy,
    pub(crate) at: UnixTime,
    names_time: bool,
    releases: Vec<ReferenceValues>,
    required: Vec<(u8, Pcr)>,
}

impl PolicyArgs {
    /// The difference between the clocks that is tolerated.
    pub(crate) fn clock_skew_ms(&self) -> u64 {
        self.clock_skew.saturating_mul(1000)
    }

    /// Reads the files that the options name, and builds the policy.
    pub(crate) fn prepare(&self) -> Result<Prepared, VerifyError> {
        let releases = match &self.reference_values {
            Some(path) => parse_reference_values(&read_limited(path, MAX_POLICY_FILE_BYTES)?)?,
            None => Vec::new(),
        };
        let mut builder =
            AppraisalPolicy::builder().accept_releases(releases.clone()).clock_skew_ms(self.clock_skew_ms());
        for (index, value) in &self.pcrs {
            builder = builder.require_pcr(*index, *value)?;
        }
        if let Some(Bytes(nonce)) = &self.nonce {
            builder = builder.expect_nonce(nonce.as_slice());
        }
        if let Some(Bytes(user_data)) = &self.user_data {
            builder = builder.expect_user_data(user_data.as_slice());
        }
        if let Some(Bytes(public_key)) = &self.public_key {
            builder = builder.expect_public_key(public_key.as_slice());
        }
        if let Some(max_age) = self.max_age {
            builder = builder.max_age_ms(max_age.saturating_mul(1000));
        }
        if let Some(path) = &self.test_root {
            let pem = String::from_utf8(read_limited(path, MAX_POLICY_FILE_BYTES)?)
                .map_err(|_| PolicyError::TestRoot { what: "it is not text".to_owned() })?;
            builder = builder.trust(TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(&pem)?));
        }
        if self.allow_debug {
            builder = builder.allow_debug();
        }
        let at = self.at.unwrap_or_else(now);
        let names_time = self.at.is_some();
        Ok(Prepared { policy: builder.build()?, at, names_time, releases, required: self.pcrs.clone() })
    }
}

impl Prepared {
    /// The verdict on what a document vouches for, which `verify` compares with the document once that is accepted. The document is appraised as of
    /// the time at which it was made, unless the options name another.
    ///
    /// # Errors
    /// [`VerifyError`]: it is no document.
    pub(crate) fn judge(
        &self,
        document: &[u8],
        verify: impl FnOnce(&AttestationResult) -> Result<(), VerifyError>,
    ) -> Result<Report, VerifyError> {
        let inspection = inspect(document)?;
        let at = if self.names_time { self.at } else { inspection.timestamp() };
        let verdict = appraise(document, &self.policy, at).map_err(VerifyError::from);
        let verdict = verdict.and_then(|result| verify(&result).map(|()| result));
        let seen = Some(Seen::new(&inspection));
        Ok(match verdict {
            Ok(result) => Report::accepted(&result, seen, at),
            Err(error) => Report::rejected(&error, seen, Some(at), self.differences(&error, &inspection)),
        })
    }

    /// The PCRs that made the appraisal fail, with both values; none if it failed for something else.
    pub(crate) fn differences(&self, error: &VerifyError, found: &Inspection) -> Vec<Difference> {
        match error {
            VerifyError::Appraisal(AppraisalError::PcrMismatch { release, indices }) => {
                differences(indices, |pcr| self.expected(release.as_deref(), pcr), found.pcrs())
            }
            _ => Vec::new(),
        }
    }

    /// The value that PCR`index` should have had, in `release` or among the required ones.
    fn expected(&self, release: Option<&str>, index: u8) -> Option<Pcr> {
        match release {
            Some(name) => {
                let release = self.releases.iter().find(|release| release.name() == name)?;
                release.pcrs().get(&index).copied()
            }
            None => self.required.iter().find(|(required, _)| *required == index).map(|(_, value)| *value),
        }
    }
}

/// Bytes given in hex. A type of its own, since `clap` takes a plain vector for a repeated option.
#[derive(Clone, Debug)]
struct Bytes(Vec<u8>);

fn parse_hex(text: &str) -> Result<Bytes, String> {
    hex::decode(text).map(Bytes).map_err(|error| format!("not hexadecimal: {error}"))
}

fn parse_pcr(text: &str) -> Result<(u8, Pcr), String> {
    let (index, value) = text.split_once('=').ok_or("write it as N=HEX, as in 0=ec74bf…")?;
    let index: u8 =
        index.parse().ok().filter(|index| *index <= r3e_attestation::MAX_PCR_INDEX).ok_or("N is 0 to 31")?;
    let mut pcr: Pcr = [0; 48];
    hex::decode_to_slice(value, &mut pcr)
        .map_err(|_| format!("HEX has 96 hexadecimal digits (SHA-384); {} characters given", value.len()))?;
    Ok((index, pcr))
}

/// UNIX seconds, with up to three decimals, or RFC 3339.
fn parse_time(text: &str) -> Result<UnixTime, String> {
    if let Some(time) = parse_unix(text) {
        return Ok(time);
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        "give UNIX seconds, as 1732983769, or a time with its zone, as 2024-11-30T16:22:49Z".to_owned()
    })?;
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000)
        .map(UnixTime::from_millis)
        .map_err(|_| "a time before 1970".to_owned())
}

fn parse_unix(text: &str) -> Option<UnixTime> {
    let (secs, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(secs) || !digits(decimals) || decimals.len() > 3 {
        return None;
    }
    let millis: u64 = format!("{decimals:0<3}").parse().ok()?;
    Some(UnixTime::from_millis(secs.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(millis)?))
}

fn now() -> UnixTime {
    // A clock before 1970 finds every certificate not valid yet, which is the safe side.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for text in ["1732983769", "1732983769.0", "2024-11-30T16:22:49Z", "2024-11-30T17:22:49+01:00"] {
            assert_eq!(parse_time(text).unwrap(), UnixTime::from_secs(1_732_983_769), "{text}");
        }
        assert_eq!(parse_time("1732983768.387").unwrap(), UnixTime::from_millis(1_732_983_768_387));
        assert_eq!(parse_time("2024-11-30T16:22:48.387Z").unwrap(), UnixTime::from_millis(1_732_983_768_387));
        assert_eq!(parse_time("5.5").unwrap(), UnixTime::from_millis(5500));
        for text in [
            "",
            "now",
            "-1",
            "1.",
            ".5",
            "1.2345",
            "1e9",
            "2024-11-30",
            "1969-12-31T23:59:59Z",
            "99999999999999999999",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pcrs() {
        let hex = "ab".repeat(48);
        assert_eq!(parse_pcr(&format!("31={hex}")).unwrap(), (31, [0xab; 48]));
        for text in
            ["", "0", &hex, &format!("32={hex}"), &format!("-1={hex}"), &format!("0={hex}00"), "0=", "0=zz"]
        {
            assert!(parse_pcr(text).is_err(), "{text}");
        }
    }
}
