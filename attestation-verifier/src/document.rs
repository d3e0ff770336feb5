//! The payload of an attestation document, as the Nitro Secure Module's specification defines it. Reads form
//! alone: nothing here is authenticated, and nothing here is compared with a policy.

use std::collections::BTreeMap;

use r3e_cbor::{CborError, MapReader, Value, decode, from_value};

use crate::{
    Malformed, Pcr, UnixTime,
    limits::{
        MAX_CERTIFICATE_BYTES, MAX_MODULE_ID_BYTES, MAX_NONCE_BYTES, MAX_PUBLIC_KEY_BYTES,
        MAX_USER_DATA_BYTES, PAYLOAD_LIMITS,
    },
    reference::MAX_PCR_INDEX,
};

/// The fields of a payload, unauthenticated.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) module_id: String,
    pub(crate) timestamp: UnixTime,
    pub(crate) pcrs: BTreeMap<u8, Pcr>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) cabundle: Vec<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
}

impl Document {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let value = decode(payload, &PAYLOAD_LIMITS).map_err(refused)?;
        let mut map = MapReader::new("the payload", value).map_err(refused)?;
        let digest: String = map.required("digest").map_err(refused)?;
        if digest != "SHA384" {
            return Err(Malformed::Rule { rule: "the digest must be SHA384" });
        }
        let document = Self {
            module_id: module_id(map.required("module_id").map_err(refused)?)?,
            timestamp: UnixTime::from_millis(map.required("timestamp").map_err(refused)?),
            pcrs: pcrs(map.required("pcrs").map_err(refused)?)?,
            certificate: certificate(map.required("certificate").map_err(refused)?)?,
            cabundle: cabundle(map.required("cabundle").map_err(refused)?)?,
            public_key: optional(&mut map, "public_key", MAX_PUBLIC_KEY_BYTES)?,
            user_data: optional(&mut map, "user_data", MAX_USER_DATA_BYTES)?,
            nonce: optional(&mut map, "nonce", MAX_NONCE_BYTES)?,
        };
        map.finish().map_err(refused)?;
        Ok(document)
    }

    /// Whether the enclave runs in debug mode: the hypervisor then reports PCR0, PCR1 and PCR2 as zero (PCR3
    /// and PCR4 keep their values). A PCR that is absent measures nothing either.
    pub(crate) fn is_debug(&self) -> bool {
        (0..=2).all(|index| self.pcrs.get(&index).is_none_or(|pcr| pcr.iter().all(|byte| *byte == 0)))
    }
}

fn refused(reason: CborError) -> Malformed {
    Malformed::Cbor { part: "payload", reason }
}

/// Printable ASCII, since it is shown to people.
fn module_id(id: String) -> Result<String, Malformed> {
    if (1..=MAX_MODULE_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(id)
    } else {
        Err(Malformed::Rule { rule: "the module_id must be 1 to 128 printable ASCII characters" })
    }
}

fn pcrs(entries: Vec<(Value, Value)>) -> Result<BTreeMap<u8, Pcr>, Malformed> {
    // The specification allows 32 at most; the indices and the absence of duplicates see to that.
    if entries.is_empty() {
        return Err(Malformed::Rule { rule: "there must be at least one PCR" });
    }
    entries
        .into_iter()
        .map(|(index, pcr)| match from_value::<u8>("a PCR index", index) {
            Ok(index) if index <= MAX_PCR_INDEX => Ok((
                index,
                from_value::<Pcr>("a PCR (48 bytes, as the digest is SHA-384)", pcr).map_err(refused)?,
            )),
            _ => Err(Malformed::Rule { rule: "a PCR index must be 0 to 31" }),
        })
        .collect()
}

fn certificate(der: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    if (1..=MAX_CERTIFICATE_BYTES).contains(&der.len()) {
        Ok(der)
    } else {
        Err(Malformed::Rule { rule: "a certificate must have 1 to 1024 bytes" })
    }
}

fn cabundle(certificates: Vec<Value>) -> Result<Vec<Vec<u8>>, Malformed> {
    if certificates.is_empty() {
        return Err(Malformed::Rule { rule: "the cabundle must not be empty" });
    }
    certificates
        .into_iter()
        .map(|der| certificate(from_value("a certificate", der).map_err(refused)?))
        .collect()
}

/// An optional field. The NSM writes `null` for none, and some documents leave the field out.
fn optional(map: &mut MapReader, key: &'static str, max_bytes: usize) -> Result<Option<Vec<u8>>, Malformed> {
    let bytes: Option<Vec<u8>> = map.nullable(key).map_err(refused)?;
    if bytes.as_ref().is_some_and(|bytes| bytes.len() > max_bytes) {
        return Err(Malformed::Rule { rule: "nonce and user_data have 512 bytes at most, public_key 1024" });
    }
    Ok(bytes)
}
