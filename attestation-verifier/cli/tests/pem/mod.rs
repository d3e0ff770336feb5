//! PEM (RFC 7468), for the test roots that the tool is given.

use base64::prelude::{BASE64_STANDARD, Engine};

/// A certificate in PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|line| str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
