//! An attestation document as the device gave it, and the one claim the enclave itself reads in it.
//!
//! Knows nothing of signatures, certificates or policies: appraisal is the Verifier's work. The
//! reader here is for documents that came from this enclave's own device, which is trusted, over a
//! channel that no one else can write to; [`Document`] can be made in no other way. It is bounded
//! in size and depth all the same, because a bound costs nothing.

use std::time::Instant;

use ciborium::Value;

use crate::error::AttesterError;
use crate::limits::{MAX_CBOR_DEPTH, MAX_DOCUMENT_BYTES};

/// The CBOR tag of `COSE_Sign1` (RFC 9052 section 4.2). The NSM leaves it out; both forms are read.
const TAG_COSE_SIGN1: u64 = 18;

/// A signed attestation document (`COSE_Sign1`, at most 12 KiB) that the NSM of this enclave made,
/// with the moment it arrived.
#[derive(Debug, Clone)]
pub struct Document {
    bytes: Vec<u8>,
    answered_at: Instant,
}

impl Document {
    /// The document's bytes, to be sent as Evidence.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The document's bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// When the device answered, on this machine's monotonic clock.
    pub fn answered_at(&self) -> Instant {
        self.answered_at
    }

    /// The hypervisor's time in the document, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`AttesterError::Timestamp`] when the document is not of the NSM's form.
    pub fn timestamp_ms(&self) -> Result<u64, AttesterError> {
        timestamp_ms(&self.bytes).map_err(|problem| AttesterError::Timestamp { problem })
    }

    /// Takes what the device answered; `None` when the size cannot be a document's.
    pub(crate) fn from_device(bytes: Vec<u8>, answered_at: Instant) -> Option<Self> {
        (!bytes.is_empty() && bytes.len() <= MAX_DOCUMENT_BYTES).then_some(Self { bytes, answered_at })
    }
}

fn timestamp_ms(document: &[u8]) -> Result<u64, &'static str> {
    let sign1 = match read(document)? {
        Value::Tag(TAG_COSE_SIGN1, inner) => *inner,
        untagged => untagged,
    };
    let Value::Array(parts) = sign1 else { return Err("not a COSE_Sign1 array") };
    let [_, _, Value::Bytes(payload), _] = parts.as_slice() else {
        return Err("not four parts with a payload of bytes");
    };
    let Value::Map(claims) = read(payload)? else { return Err("the payload is not a map") };
    let mut timestamps = claims.iter().filter(|(key, _)| key.as_text() == Some("timestamp"));
    let (Some((_, timestamp)), None) = (timestamps.next(), timestamps.next()) else {
        return Err("not exactly one timestamp");
    };
    let millis = timestamp.as_integer().and_then(|integer| u64::try_from(integer).ok());
    millis.filter(|millis| *millis > 0).ok_or("the timestamp is not a positive integer")
}

/// Reads one CBOR item that must fill `bytes`. `Document` and its payload are at most 12 KiB.
fn read(mut bytes: &[u8]) -> Result<Value, &'static str> {
    let value = ciborium::de::from_reader_with_recursion_limit(&mut bytes, MAX_CBOR_DEPTH)
        .map_err(|_| "not well-formed CBOR of the expected depth")?;
    if bytes.is_empty() { Ok(value) } else { Err("bytes follow the CBOR item") }
}

#[cfg(test)]
mod tests {
    use ciborium::cbor;

    use super::*;

    fn encode(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        bytes
    }

    fn sign1(payload: &[u8]) -> Value {
        Value::Array(vec![
            Value::Bytes(vec![0xa1, 0x01, 0x38, 0x22]),
            Value::Map(vec![]),
            Value::Bytes(payload.to_vec()),
            Value::Bytes(vec![0; 96]),
        ])
    }

    fn document(payload: &Value) -> Vec<u8> {
        encode(&sign1(&encode(payload)))
    }

    #[test]
    fn reads_the_timestamp_tagged_and_untagged() {
        let payload = cbor!({"module_id" => "i-1-enc2", "timestamp" => 1_766_678_659_346_u64}).unwrap();
        assert_eq!(timestamp_ms(&document(&payload)), Ok(1_766_678_659_346));
        let tagged = Value::Tag(TAG_COSE_SIGN1, Box::new(sign1(&encode(&payload))));
        assert_eq!(timestamp_ms(&encode(&tagged)), Ok(1_766_678_659_346));
    }

    #[test]
    fn reads_an_indefinite_payload_map() {
        let mut payload = vec![0xbf];
        payload.extend(encode(&Value::from("timestamp")));
        payload.extend(encode(&Value::from(7)));
        payload.push(0xff);
        assert_eq!(timestamp_ms(&encode(&sign1(&payload))), Ok(7));
    }

    #[test]
    fn refuses_every_other_form() {
        let good = document(&cbor!({"timestamp" => 7}).unwrap());
        let mut trailing = good.clone();
        trailing.push(0);
        let twice = Value::Map(vec![
            (Value::from("timestamp"), Value::from(7)),
            (Value::from("timestamp"), Value::from(8)),
        ]);
        let mut deep = vec![0x81; 100_000];
        deep.push(0x00);
        let cases: [(&str, Vec<u8>); 12] = [
            ("empty", vec![]),
            ("truncated", good[..good.len() - 1].to_vec()),
            ("trailing", trailing),
            ("not an array", encode(&Value::from(1))),
            ("other tag", encode(&Value::Tag(17, Box::new(sign1(&encode(&twice)))))),
            ("three parts", encode(&Value::Array(vec![Value::Null, Value::Null, Value::Bytes(vec![])]))),
            ("payload not a map", document(&Value::from(1))),
            ("no timestamp", document(&cbor!({"time" => 7}).unwrap())),
            ("two timestamps", document(&twice)),
            ("negative", document(&cbor!({"timestamp" => -7}).unwrap())),
            ("zero", document(&cbor!({"timestamp" => 0}).unwrap())),
            ("deep", deep),
        ];
        for (name, bytes) in cases {
            assert!(timestamp_ms(&bytes).is_err(), "{name}");
        }
        assert_eq!(timestamp_ms(&good), Ok(7));
    }

    #[test]
    fn a_document_has_a_size() {
        assert!(Document::from_device(vec![], Instant::now()).is_none());
        assert!(Document::from_device(vec![0; MAX_DOCUMENT_BYTES + 1], Instant::now()).is_none());
        assert!(Document::from_device(vec![0; MAX_DOCUMENT_BYTES], Instant::now()).is_some());
    }
}
