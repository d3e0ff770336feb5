//! What was asked, as one hash: headers may be secrets, and stand in no observation.

use ciborium::Value;
use r3e_cbor::encode;
use sha2::{Digest as _, Sha256};

use crate::api::wallets::Hash32;

/// What the hashed message begins with.
pub const REQUEST_DOMAIN: &str = "r3e/1/data-request";

/// SHA-256 over `[domain, method, url, [[name, value], …]]` in deterministic CBOR: names in small letters, in the order of their bytes, and the values
/// of one name in the order in which they were sent.
pub fn request_hash<'a>(
    method: &str,
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Hash32 {
    let mut sent: Vec<(String, &[u8])> =
        headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    // Stable: what has one name keeps its order.
    sent.sort_by(|(one, _), (other, _)| one.cmp(other));
    let pair = |(name, value): (String, &[u8])| Value::Array(vec![name.into(), Value::Bytes(value.to_vec())]);
    let headers = sent.into_iter().map(pair).collect();
    let message = Value::Array(vec![REQUEST_DOMAIN.into(), method.into(), url.into(), Value::Array(headers)]);
    Hash32(Sha256::digest(encode(&message)).into())
}
