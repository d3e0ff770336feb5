//! Who may use a public route: signatures over a time and the body, or a key that is sent. Knows no clock and no secrets but the one
//! that it is given.
//!
//! Both schemes are in use elsewhere, so that a service which signs its webhooks can be believed as it is:
//!
//! - `standard`: Standard Webhooks 1.0. HMAC-SHA-256 over `ID.TIME.BODY`; the headers `webhook-id`, `webhook-timestamp` and
//!   `webhook-signature`, the last one a list of `v1,BASE64`. A secret that begins with `whsec_` has the key in base64 behind it.
//! - `timestamped`: one header `t=TIME,v1=HEX[,v1=HEX]`, HMAC-SHA-256 over `TIME.BODY` with the secret's bytes as the key.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use r3e_proto::api::triggers::{Auth, Hmac, Scheme, SentKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::limits::{MAX_HEADER_VALUE_BYTES, MAX_MESSAGE_ID_BYTES, MAX_SIGNATURES};

/// The header of [`Scheme::Timestamped`], unless the trigger names another.
pub const SIGNATURE_HEADER: &str = "r3e-signature";
/// The header of a key that is sent, unless the trigger names another.
pub const KEY_HEADER: &str = "x-api-key";
const ID_HEADER: &str = "webhook-id";
const TIME_HEADER: &str = "webhook-timestamp";
const SIGNATURES_HEADER: &str = "webhook-signature";
const KEY_PREFIX: &str = "whsec_";
const DIGEST_BYTES: usize = 32;

/// A request, as far as it is signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Names in lower case, and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

/// A request is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// What the message is known again by, where it is signed: a SHA-256 in hex.
    pub message: Option<String>,
}

/// Why a request is not believed. Who sent it is told nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotBelieved {
    /// A header is missing, stands twice, or is too long.
    #[error("the header {0} should stand there once")]
    Header(&'static str),
    /// A header is not of its form.
    #[error("the signature is not of its form")]
    Form,
    /// The time is too far from the appliance's.
    #[error("the signature's time is too far from the appliance's")]
    Time,
    /// None of the signatures holds.
    #[error("no signature holds")]
    Signature,
    /// The secret is no key.
    #[error("the secret is no key: behind `whsec_` it is base64")]
    Secret,
}

/// Whether a request may be believed, at `now_ms`. `secret` is the value of the secret that `auth` names.
///
/// # Errors
/// [`NotBelieved`].
pub fn believe(
    auth: &Auth,
    secret: &[u8],
    request: Signed<'_>,
    now_ms: u64,
) -> Result<Believed, NotBelieved> {
    match auth {
        Auth::None => Ok(Believed { message: None }),
        Auth::ApiKey(SentKey { header, .. }) => {
            let name = header.as_deref().unwrap_or(KEY_HEADER);
            let sent = request.header(name, "with the key")?;
            let sent = if name == "authorization" {
                sent.strip_prefix("Bearer ").ok_or(NotBelieved::Form)?
            } else {
                sent
            };
            // Of their digests, so that nothing is told of the secret's length.
            let digest = |text: &[u8]| Sha256::digest(text);
            verify_slices_are_equal(&digest(sent.as_bytes()), &digest(secret))
                .map_err(|_| NotBelieved::Signature)?;
            Ok(Believed { message: None })
        }
        Auth::Hmac(Hmac { scheme: Scheme::Standard, tolerance_s, .. }) => {
            standard(secret, request, *tolerance_s, now_ms)
        }
        Auth::Hmac(Hmac { scheme: Scheme::Timestamped, tolerance_s, header, .. }) => {
            let header = header.as_deref().unwrap_or(SIGNATURE_HEADER);
            timestamped(secret, request, header, *tolerance_s, now_ms)
        }
    }
}

fn standard(
    secret: &[u8],
    request: Signed<'_>,
    tolerance_s: u32,
    now_ms: u64,
) -> Result<Believed, NotBelieved> {
    let id = request.header(ID_HEADER, ID_HEADER)?;
    let is_id = (1..=MAX_MESSAGE_ID_BYTES).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    if !is_id {
        return Err(NotBelieved::Form);
    }
    let time = request.header(TIME_HEADER, TIME_HEADER)?;
    within(time, tolerance_s, now_ms)?;
    let signatures = request.header(SIGNATURES_HEADER, SIGNATURES_HEADER)?;
    // Of other versions there may be some, too.
    let tags = signatures
        .split(' ')
        .take(MAX_SIGNATURES)
        .filter_map(|signature| BASE64.decode(signature.strip_prefix("v1,")?).ok());
    let key = match secret.strip_prefix(KEY_PREFIX.as_bytes()) {
        Some(encoded) => Zeroizing::new(BASE64.decode(encoded).map_err(|_| NotBelieved::Secret)?),
        None => Zeroizing::new(secret.to_vec()),
    };
    holds(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", request.body], tags)?;
    Ok(Believed { message: Some(known_by(&[b"id", id.as_bytes()])) })
}

fn timestamped(
    secret: &[u8],
    request: Signed<'_>,
    header: &str,
    tolerance_s: u32,
    now_ms: u64,
) -> Result<Believed, NotBelieved> {
    let value = request.header(header, "with the signature")?;
    let (mut time, mut tags) = (None, Vec::new());
    for field in value.split(',') {
        match field.trim().split_once('=') {
            Some(("t", text)) if time.is_none() => time = Some(text),
            Some(("v1", text)) if tags.len() < MAX_SIGNATURES => {
                tags.push(hex::decode(text).map_err(|_| NotBelieved::Form)?);
            }
            // Two times: which one is signed would be the sender's to choose.
            Some(("t" | "v1", _)) | None => return Err(NotBelieved::Form),
            Some(_) => {}
        }
    }
    let time = time.ok_or(NotBelieved::Form)?;
    within(time, tolerance_s, now_ms)?;
    holds(secret, &[time.as_bytes(), b".", request.body], tags.into_iter())?;
    Ok(Believed { message: Some(known_by(&[b"time", time.as_bytes(), request.body])) })
}

/// Whether one of the tags is that of the parts together. Every one is compared, in time that does not depend on where they differ.
fn holds(key: &[u8], parts: &[&[u8]], tags: impl Iterator<Item = Vec<u8>>) -> Result<(), NotBelieved> {
    if key.is_empty() {
        return Err(NotBelieved::Secret);
    }
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let expected = context.sign();
    let mut holds = false;
    for tag in tags {
        holds |= tag.len() == DIGEST_BYTES && verify_slices_are_equal(&tag, expected.as_ref()).is_ok();
    }
    if holds { Ok(()) } else { Err(NotBelieved::Signature) }
}

/// A time in Unix seconds, in its one form: without sign, blank or leading zero.
fn within(time: &str, tolerance_s: u32, now_ms: u64) -> Result<(), NotBelieved> {
    let seconds: u64 = time.parse().map_err(|_| NotBelieved::Form)?;
    if seconds.to_string() != time {
        return Err(NotBelieved::Form);
    }
    let is_within = seconds.abs_diff(now_ms / 1_000) <= u64::from(tolerance_s);
    if is_within { Ok(()) } else { Err(NotBelieved::Time) }
}

fn known_by(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

impl<'a> Signed<'a> {
    fn header(&self, name: &str, what: &'static str) -> Result<&'a str, NotBelieved> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if value.len() <= MAX_HEADER_VALUE_BYTES => Ok(value),
            _ => Err(NotBelieved::Header(what)),
        }
    }
}

#[cfg(test)]
mod tests;
