//! Verifies AWS Signature Version 4 from the server's side: it rebuilds what was signed from the request that came, whatever
//! headers its client chose to sign.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use http::request::Parts;
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::accounts::{Accounts, Issued};
use crate::refusal::Refusal;
use crate::unix_ms;

/// AWS's tolerance.
const SKEW_MS: u64 = 300_000;
/// Headers that must be among the signed ones: a server that did not ask for them would let them be changed.
const MUST_BE_SIGNED: [&str; 3] = ["host", "x-amz-date", "x-amz-target"];

/// Whose request it is, if its signature says so.
pub(crate) fn verify(
    head: &Parts,
    body: &[u8],
    region: &str,
    accounts: &Accounts,
) -> Result<Issued, Refusal> {
    let authorization =
        header(head, "authorization").ok_or_else(|| missing("MissingAuthenticationTokenException"))?;
    let fields = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| missing("IncompleteSignatureException"))?;
    let field = |name: &str| {
        let mut parts = fields.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(credential), Some(signed), Some(signature)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(missing("IncompleteSignatureException"));
    };
    let Some((access_key_id, scope)) = credential.split_once('/') else {
        return Err(missing("IncompleteSignatureException"));
    };
    let issued = accounts.find(access_key_id).ok_or_else(|| {
        Refusal::new("UnrecognizedClientException", "The security token included in the request is invalid.")
    })?;
    if header(head, "x-amz-security-token").as_deref() != Some(&issued.session_token) {
        return Err(Refusal::new(
            "UnrecognizedClientException",
            "The security token is not of these credentials.",
        ));
    }
    let time = header(head, "x-amz-date").ok_or_else(|| missing("IncompleteSignatureException"))?;
    let day = time.get(..8).unwrap_or_default();
    if scope != format!("{day}/{region}/kms/aws4_request") {
        return Err(Refusal::new(
            "InvalidSignatureException",
            "Credential should be scoped to this region and service.",
        ));
    }
    check_time(&time)?;
    let names: Vec<&str> = signed.split(';').collect();
    if !names.is_sorted() || MUST_BE_SIGNED.iter().any(|name| !names.contains(name)) {
        return Err(missing("IncompleteSignatureException"));
    }
    // Every header of AWS's must be signed, the token above all.
    let unsigned = |name: &str| name.starts_with("x-amz-") && !names.contains(&name);
    if head.headers.keys().any(|name| unsigned(name.as_str())) {
        return Err(Refusal::new("InvalidSignatureException", "A header of AWS's is not signed."));
    }
    let canonical = canonical(head, body, &names, signed)?;
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let expected = hmac_of(&issued.secret_access_key, scope, &to_sign);
    if verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_err() {
        return Err(Refusal::new(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        ));
    }
    if issued.expires_at_ms <= unix_ms() {
        return Err(Refusal::new(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ));
    }
    Ok(issued)
}

fn canonical(head: &Parts, body: &[u8], names: &[&str], signed: &str) -> Result<String, Refusal> {
    let mut text =
        format!("{}\n{}\n{}\n", head.method, head.uri.path(), head.uri.query().unwrap_or_default());
    for name in names {
        let values: Vec<String> = head
            .headers
            .get_all(*name)
            .iter()
            .map(|value| {
                String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        if values.is_empty() {
            return Err(Refusal::new("InvalidSignatureException", format!("{name} is signed and not there")));
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    Ok(text + &format!("\n{signed}\n{}", sha256(body)))
}

/// The four steps of the key, from the last name of the scope to the signature.
fn hmac_of(secret: &str, scope: &str, to_sign: &str) -> String {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac::sign(&hmac::Key::new(HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec();
    }
    hex::encode(hmac::sign(&hmac::Key::new(HMAC_SHA256, &key), to_sign.as_bytes()))
}

fn check_time(time: &str) -> Result<(), Refusal> {
    let signed = basic_time(time).ok_or_else(|| missing("IncompleteSignatureException"))?;
    let signed_ms = u64::try_from(signed.assume_utc().unix_timestamp()).unwrap_or(0) * 1000;
    if signed_ms.saturating_add(SKEW_MS) < unix_ms() {
        return Err(Refusal::new(
            "InvalidSignatureException",
            format!("Signature expired: {time} is too early"),
        ));
    }
    if signed_ms > unix_ms().saturating_add(SKEW_MS) {
        return Err(Refusal::new(
            "InvalidSignatureException",
            format!("Signature not yet current: {time} is too late"),
        ));
    }
    Ok(())
}

/// `20150830T123600Z`.
fn basic_time(text: &str) -> Option<PrimitiveDateTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let number = |text: &str, from, to| text.get(from..to)?.parse::<u16>().ok();
    let small = |text: &str, from, to| u8::try_from(number(text, from, to)?).ok();
    let month = Month::try_from(small(date, 4, 6)?).ok()?;
    let date = Date::from_calendar_date(number(date, 0, 4)?.into(), month, small(date, 6, 8)?).ok()?;
    let time = Time::from_hms(small(time, 0, 2)?, small(time, 2, 4)?, small(time, 4, 6)?).ok()?;
    Some(PrimitiveDateTime::new(date, time))
}

fn header(head: &Parts, name: &str) -> Option<String> {
    let value = head.headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

fn missing(kind: &'static str) -> Refusal {
    Refusal::new(kind, "The request is not signed as it must be.")
}
