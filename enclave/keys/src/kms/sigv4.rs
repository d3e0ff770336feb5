//! AWS Signature Version 4 for what KMS needs: `POST /` without a query, all headers signed.
//!
//! AWS's own `aws-sigv4` does this too, with a dozen packages of its SDK, all of which would be measured with the
//! image. The vectors of AWS's test suite for such requests are in `vectors/sigv4`.

use std::fmt::Write as _;

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use r3e_proto::host::credentials::AwsCredentials;
use zeroize::Zeroizing;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request to be signed.
#[derive(Debug, Clone)]
pub struct Unsigned<'a> {
    /// The value of `Host`: the name, and the port unless it is 443.
    pub host: &'a str,
    /// The region that the server is in.
    pub region: &'a str,
    /// The service's name in signatures.
    pub service: &'a str,
    /// Other headers: names in lower case, values without blanks at their ends or in a row.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// The headers of the signed request but `host`: those of `request`, `x-amz-date`, `x-amz-security-token` where there is
/// one, and `authorization`.
pub fn sign(
    request: &Unsigned<'_>,
    credentials: &AwsCredentials,
    unix_ms: u64,
) -> Vec<(String, Zeroizing<String>)> {
    let Unsigned { region, service, .. } = request;
    let time = basic_time(unix_ms / 1000);
    let day = time.get(..8).unwrap_or_default();
    let mut headers: Vec<(String, Zeroizing<String>)> = request
        .headers
        .iter()
        .chain(&[("x-amz-date", time.as_str())])
        .map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned())))
        .collect();
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token".to_owned(), token.clone()));
    }
    let (canonical, signed_headers) = canonical_request(request, &headers);
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex_sha256(canonical.as_bytes()));

    let first = Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.as_str()));
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
    for part in [day, region, service, "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    let signature = hex::encode(hmac::sign(&key, to_sign.as_bytes()));
    let id = &credentials.access_key_id;
    let authorization =
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}");
    headers.push(("authorization".to_owned(), Zeroizing::new(authorization)));
    headers
}

/// The request in the form that is signed, and the names of the headers in it.
fn canonical_request(
    request: &Unsigned<'_>,
    headers: &[(String, Zeroizing<String>)],
) -> (Zeroizing<String>, String) {
    let mut signed: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    signed.push(("host", request.host));
    signed.sort_unstable();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut text = Zeroizing::new("POST\n/\n\n".to_owned());
    for (name, value) in &signed {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{names}\n{}", hex_sha256(request.body));
    (text, names)
}

/// A time in the basic form of ISO 8601: `20150830T123600Z`.
fn basic_time(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    // Years that begin in March, so that the day that is there in some years alone is the last one; eras of 400 of them,
    // from the year 0 on.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_the_proleptic_gregorian_calendar() {
        for (unix_seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_800, "20000301T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (1_735_689_599, "20241231T235959Z"),
            (1_709_164_800, "20240229T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
            (4_107_456_000, "21000228T000000Z"),
        ] {
            assert_eq!(basic_time(unix_seconds), text);
        }
    }

    /// The parts of a vector: what it says is signed, and with which result.
    fn parts(name: &str) -> (String, String, String) {
        let file = |file: &str| {
            let path = format!("{}/vectors/sigv4/{name}/{file}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        (file("request.txt"), file("header-canonical-request.txt"), file("header-signature.txt"))
    }

    fn check(name: &str, token: Option<&str>, extra: &[(&str, &str)]) {
        let (request, canonical, signature) = parts(name);
        let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
        let mut host = "";
        let mut headers = extra.to_vec();
        let lower: Vec<(String, &str)> = head
            .lines()
            .skip(1)
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.trim()))
            .collect();
        for (name, value) in &lower {
            match name.as_str() {
                "host" => host = value,
                name => headers.push((name, value)),
            }
        }
        let unsigned = Unsigned {
            host,
            region: "us-east-1",
            service: "service",
            headers: &headers,
            body: body.as_bytes(),
        };
        let credentials = AwsCredentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Zeroizing::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session_token: token.map(|token| Zeroizing::new(token.to_owned())),
            expires_at_ms: u64::MAX,
        };
        let signed = sign(&unsigned, &credentials, 1_440_938_160_999);
        let (last, sent) = signed.split_last().unwrap();
        assert_eq!(canonical_request(&unsigned, sent).0.trim_end(), canonical.trim_end(), "{name}");
        assert_eq!(last.0, "authorization");
        assert!(last.1.ends_with(&format!("Signature={}", signature.trim_end())), "{name}: {}", *last.1);
        assert!(
            last.1.contains("Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "),
            "{name}"
        );
    }

    #[test]
    fn the_vectors_of_aws_for_such_requests() {
        check("post-vanilla", None, &[]);
        check("post-header-key-sort", None, &[]);
        check("post-header-value-case", None, &[]);
        check("post-sts-header-after", None, &[]);
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        check("post-sts-header-before", Some(token), &[]);
        // The suite signs the body's digest as a header of its own here.
        let digest = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";
        check("post-x-www-form-urlencoded", None, &[("x-amz-content-sha256", digest)]);
    }

    #[test]
    fn everything_in_a_request_changes_its_signature() {
        let credentials = AwsCredentials {
            access_key_id: "A".to_owned(),
            secret_access_key: Zeroizing::new("s".to_owned()),
            session_token: None,
            expires_at_ms: u64::MAX,
        };
        let request = Unsigned {
            host: "kms.example.com",
            region: "eu-central-1",
            service: "kms",
            headers: &[("a", "b")],
            body: b"{}",
        };
        let of = |request: &Unsigned<'_>, unix_ms| sign(request, &credentials, unix_ms).pop().unwrap().1;
        let good = of(&request, 1_440_938_160_000);
        assert_eq!(good, of(&request, 1_440_938_160_999), "times are in seconds");
        for other in [
            of(&request, 1_440_938_161_000),
            of(&Unsigned { host: "kms.example.org", ..request.clone() }, 1_440_938_160_000),
            of(&Unsigned { region: "eu-west-1", ..request.clone() }, 1_440_938_160_000),
            of(&Unsigned { service: "s3", ..request.clone() }, 1_440_938_160_000),
            of(&Unsigned { headers: &[("a", "c")], ..request.clone() }, 1_440_938_160_000),
            of(&Unsigned { body: b"{ }", ..request.clone() }, 1_440_938_160_000),
        ] {
            assert_ne!(good, other);
        }
    }
}
