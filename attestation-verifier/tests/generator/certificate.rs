//! X.509 certificates from parts, each of which can be wrong.

use std::time::Duration;

use x509_cert::der::{
    Encode,
    asn1::{GeneralizedTime, UtcTime},
};

use super::{Key, NOW_SECS};

pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Algorithm identifiers in DER.
pub(crate) const ECDSA_SHA384: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
pub(crate) const ECDSA_SHA384_NULL: &[u8] = b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03\x05\x00";
pub(crate) const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
pub(crate) const RSA_SHA384: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00";

/// The content of extensions' object identifiers.
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
pub(crate) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
/// 1.3.6.1.4.1.99999.1
pub(crate) const PRIVATE: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f, 0x01];

/// Key usage bits, from the first byte's left.
pub(crate) const DIGITAL_SIGNATURE: u8 = 0x80;
pub(crate) const KEY_AGREEMENT: u8 = 0x08;
pub(crate) const CERT_SIGN: u8 = 0x04;
pub(crate) const CRL_SIGN: u8 = 0x02;

pub(crate) struct Cert {
    pub(crate) version: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) signed_algorithm: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    pub(crate) key_info: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
    /// Inside the signed part, after the extensions.
    pub(crate) extra: Vec<u8>,
    pub(crate) key: Key,
    /// Signs instead of the key of the certificate above.
    pub(crate) signer: Option<Key>,
}

/// Tag, length, value.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(content.len()).unwrap().to_be_bytes() {
        [0, short] if short < 0x80 => out.push(short),
        [0, short] => out.extend([0x81, short]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(content);
    out
}

/// A distinguished name like those of the Nitro PKI.
pub(crate) fn name(common_name: &str) -> Vec<u8> {
    let attribute = |oid: u8, value: &str| {
        let pair = [tlv(0x06, &[0x55, 0x04, oid]), tlv(0x0c, value.as_bytes())].concat();
        tlv(0x31, &tlv(0x30, &pair))
    };
    tlv(
        0x30,
        &[attribute(6, "US"), attribute(10, "Amazon"), attribute(11, "AWS"), attribute(3, common_name)]
            .concat(),
    )
}

pub(crate) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 0x01, 0xff] } else { &[] };
    tlv(0x30, &[&tlv(0x06, oid), critical, &tlv(0x04, value)].concat())
}

pub(crate) fn basic_constraints(is_ca: bool, path_len: Option<u8>) -> Vec<u8> {
    let ca: &[u8] = if is_ca { &[0x01, 0x01, 0xff] } else { &[] };
    let path_len = path_len.map(|len| tlv(0x02, &[len])).unwrap_or_default();
    extension(BASIC_CONSTRAINTS, true, &tlv(0x30, &[ca, &path_len].concat()))
}

pub(crate) fn key_usage(bits: u8) -> Vec<u8> {
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap();
    extension(KEY_USAGE, true, &tlv(0x03, &[unused, bits]))
}

/// A subject public key info of an elliptic curve.
pub(crate) fn ec_key_info(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", &*tlv(0x06, curve)].concat());
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point].concat())].concat())
}

pub(crate) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

impl Cert {
    fn new(subject: &str, issuer: &str, validity: (u64, u64), extensions: Vec<Vec<u8>>) -> Self {
        let key = Key::generate();
        Self {
            version: vec![0xa0, 0x03, 0x02, 0x01, 0x02],
            serial: tlv(0x02, &[0x01, 0x23, 0x45]),
            signed_algorithm: ECDSA_SHA384.into(),
            algorithm: ECDSA_SHA384.into(),
            issuer: name(issuer),
            subject: name(subject),
            not_before: validity.0,
            not_after: validity.1,
            key_info: ec_key_info(P384, &key.point()),
            extensions,
            extra: vec![],
            key,
            signer: None,
        }
    }

    /// A CA as the Nitro PKI has them.
    pub(crate) fn ca(subject: &str, issuer: &str, validity: (u64, u64), path_len: Option<u8>) -> Self {
        let usage = key_usage(DIGITAL_SIGNATURE | CERT_SIGN | CRL_SIGN);
        let points = extension(CRL_DISTRIBUTION_POINTS, false, &tlv(0x30, &[]));
        Self::new(subject, issuer, validity, vec![basic_constraints(true, path_len), usage, points])
    }

    /// Puts `key` in.
    pub(crate) fn use_key(&mut self, key: Key) {
        self.key_info = ec_key_info(P384, &key.point());
        self.key = key;
    }

    fn to_be_signed(&self) -> Vec<u8> {
        let validity = [time(self.not_before), time(self.not_after)].concat();
        let parts = [
            &self.version,
            &self.serial,
            &self.signed_algorithm,
            &self.issuer,
            &tlv(0x30, &validity),
            &self.subject,
            &self.key_info,
            &tlv(0xa3, &tlv(0x30, &self.extensions.concat())),
            &self.extra,
        ];
        tlv(0x30, &parts.map(Vec::as_slice).concat())
    }
}

fn time(secs: u64) -> Vec<u8> {
    let duration = Duration::from_secs(secs);
    let utc = UtcTime::from_unix_duration(duration).and_then(|time| time.to_der());
    utc.unwrap_or_else(|_| GeneralizedTime::from_unix_duration(duration).unwrap().to_der().unwrap())
}

/// Root, two intermediates and a leaf, with the lifetimes of the real ones: 30 years, 20 days, a day, 3 hours.
pub(crate) fn real_shape() -> Vec<Cert> {
    let around = |before, after| (NOW_SECS - before, NOW_SECS + after);
    vec![
        Cert::ca("root", "root", around(5 * 365 * DAY, 25 * 365 * DAY), None),
        Cert::ca("region", "root", around(5 * DAY, 15 * DAY), Some(1)),
        Cert::ca("instance", "region", around(8 * HOUR, 16 * HOUR), Some(0)),
        Cert::new(
            "enclave",
            "instance",
            around(HOUR, 2 * HOUR),
            vec![basic_constraints(false, None), key_usage(DIGITAL_SIGNATURE | 0x40)],
        ),
    ]
}

/// The certificates in DER, each signed by the key of the one before it; the first by its own.
pub(crate) fn build(certs: &[Cert]) -> Vec<Vec<u8>> {
    let above = certs.iter().take(1).chain(certs);
    certs
        .iter()
        .zip(above)
        .map(|(cert, above)| {
            let signed = cert.to_be_signed();
            let signature = cert.signer.as_ref().unwrap_or(&above.key).sign_der(&signed);
            let signature = tlv(0x03, &[&[0], signature.as_slice()].concat());
            tlv(0x30, &[signed, cert.algorithm.clone(), signature].concat())
        })
        .collect()
}
