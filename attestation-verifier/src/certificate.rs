//! One certificate of the Nitro PKI: X.509 v3 (RFC 5280) in strict DER, P-384 keys and ES384 signatures alone.
//! Reads what the chain needs, and decides nothing: [`crate::chain`] does.

use x509_cert::{
    der::{
        Decode, EncodingRules, Reader, SliceReader, Tag, Tagged,
        asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef},
        oid::db::rfc5280::{
            ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_BASIC_CONSTRAINTS, ID_CE_CRL_DISTRIBUTION_POINTS,
            ID_CE_KEY_USAGE, ID_CE_SUBJECT_KEY_IDENTIFIER,
        },
    },
    ext::pkix::{BasicConstraints, KeyUsage},
    time::Time,
};

use crate::{
    UnixTime,
    limits::{MAX_CERTIFICATE_BYTES, MAX_EXTENSIONS},
    signature::PublicKey,
};

/// The DER of `[0] EXPLICIT INTEGER 2`: version 3, the only one with extensions.
const VERSION_3: [u8; 5] = [0xa0, 0x03, 0x02, 0x01, 0x02];

/// The DER of the algorithm identifier ecdsa-with-SHA384, without parameters (RFC 5758 section 3.2).
const ECDSA_WITH_SHA384: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

/// What stands before the point in the DER of a P-384 public key (RFC 5480 section 2): id-ecPublicKey, secp384r1,
/// a bit string of 97 bytes.
const P384_KEY_PREFIX: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
    0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

/// A certificate's parts, borrowed from its DER. Nothing is verified.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    /// The bytes that are signed.
    pub(crate) tbs: &'a [u8],
    /// The signature in DER.
    pub(crate) signature: &'a [u8],
    /// The DER of the issuer's name.
    pub(crate) issuer: &'a [u8],
    /// The DER of the subject's name.
    pub(crate) subject: &'a [u8],
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    pub(crate) key: PublicKey,
    pub(crate) extensions: Extensions,
}

/// What the known extensions say.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) is_ca: bool,
    pub(crate) path_len: Option<u8>,
    pub(crate) cert_sign: bool,
    pub(crate) digital_signature: bool,
    /// The first critical extension that is not known, if any.
    pub(crate) unknown_critical: Option<ObjectIdentifier>,
}

/// Why a certificate cannot be read.
#[derive(Debug)]
pub(crate) enum CertificateError {
    Malformed(String),
    Algorithm(&'static str),
}

impl From<x509_cert::der::Error> for CertificateError {
    fn from(error: x509_cert::der::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl<'a> Certificate<'a> {
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return Err(malformed("more than 1024 bytes"));
        }
        let mut reader = strict(der)?;
        let (tbs, algorithm, signature) = reader.sequence(|certificate| {
            let (tbs, algorithm) = (certificate.tlv_bytes()?, certificate.tlv_bytes()?);
            Ok::<_, CertificateError>((tbs, algorithm, bit_string(certificate)?))
        })?;
        reader.finish()?;
        if algorithm != ECDSA_WITH_SHA384 {
            return Err(CertificateError::Algorithm("signature"));
        }
        let mut reader = strict(tbs)?;
        let parsed = reader.sequence(|fields| Self::parse_tbs(tbs, signature, fields))?;
        reader.finish()?;
        Ok(parsed)
    }

    fn parse_tbs(
        tbs: &'a [u8],
        signature: &'a [u8],
        fields: &mut SliceReader<'a>,
    ) -> Result<Self, CertificateError> {
        if fields.tlv_bytes()? != VERSION_3 {
            return Err(malformed("not version 3"));
        }
        AnyRef::decode(fields)?.tag().assert_eq(Tag::Integer)?;
        // RFC 5280 section 4.1.1.2: the same as outside, which is not signed.
        if fields.tlv_bytes()? != ECDSA_WITH_SHA384 {
            return Err(CertificateError::Algorithm("signed signature algorithm"));
        }
        let issuer = name(fields)?;
        let (not_before, not_after) =
            fields.sequence(|validity| Ok::<_, CertificateError>((time(validity)?, time(validity)?)))?;
        let subject = name(fields)?;
        let key = key(fields.tlv_bytes()?)?;
        // [3] EXPLICIT; the identifiers [1] and [2] of version 2 fail here, as RFC 5280 wants it.
        let wrapped = AnyRef::decode(fields)?;
        if !matches!(wrapped.tag(), Tag::ContextSpecific { constructed: true, number } if number.value() == 3)
        {
            return Err(malformed("no extensions"));
        }
        let mut reader = strict(wrapped.value())?;
        let extensions = reader.sequence(Extensions::parse)?;
        reader.finish()?;
        Ok(Self { tbs, signature, issuer, subject, not_before, not_after, key, extensions })
    }
}

impl Extensions {
    fn parse(reader: &mut SliceReader<'_>) -> Result<Self, CertificateError> {
        let mut parsed = Self::default();
        let mut seen: Vec<ObjectIdentifier> = Vec::new();
        while !reader.is_finished() {
            let (oid, critical, value) = reader.sequence(|fields| {
                let oid = ObjectIdentifier::decode(fields)?;
                let critical = if Tag::peek(fields)? == Tag::Boolean { bool::decode(fields)? } else { false };
                Ok::<_, CertificateError>((oid, critical, <&OctetStringRef>::decode(fields)?))
            })?;
            // RFC 5280 section 4.2: no extension twice.
            if seen.contains(&oid) || seen.len() >= MAX_EXTENSIONS {
                return Err(malformed("an extension occurs twice, or there are too many"));
            }
            seen.push(oid);
            parsed.take(oid, critical, value.as_bytes())?;
        }
        Ok(parsed)
    }

    fn take(&mut self, oid: ObjectIdentifier, critical: bool, value: &[u8]) -> Result<(), CertificateError> {
        match oid {
            ID_CE_BASIC_CONSTRAINTS => {
                let constraints = BasicConstraints::from_der(value)?;
                (self.is_ca, self.path_len) = (constraints.ca, constraints.path_len_constraint);
            }
            ID_CE_KEY_USAGE => {
                let usage = KeyUsage::from_der(value)?;
                (self.cert_sign, self.digital_signature) = (usage.key_cert_sign(), usage.digital_signature());
            }
            // Hints for finding certificates and revocation lists: they change nothing here, even if critical.
            ID_CE_SUBJECT_KEY_IDENTIFIER | ID_CE_AUTHORITY_KEY_IDENTIFIER | ID_CE_CRL_DISTRIBUTION_POINTS => {
            }
            _ if critical => {
                self.unknown_critical.get_or_insert(oid);
            }
            _ => {}
        }
        Ok(())
    }
}

fn strict(der: &[u8]) -> Result<SliceReader<'_>, CertificateError> {
    Ok(SliceReader::new_with_encoding_rules(der, EncodingRules::Der)?)
}

fn bit_string<'a>(reader: &mut SliceReader<'a>) -> Result<&'a [u8], CertificateError> {
    BitStringRef::decode(reader)?.as_bytes().ok_or_else(|| malformed("the signature is not whole bytes"))
}

/// The DER of a distinguished name, which must not be empty (RFC 5280 section 4.1.2.4).
fn name<'a>(fields: &mut SliceReader<'a>) -> Result<&'a [u8], CertificateError> {
    let der = fields.tlv_bytes()?;
    match der {
        [0x30, length, ..] if *length > 0 => Ok(der),
        _ => Err(malformed("a name is empty or not a sequence")),
    }
}

fn time(validity: &mut SliceReader<'_>) -> Result<UnixTime, CertificateError> {
    Ok(UnixTime::from_secs(Time::decode(validity)?.to_unix_duration().as_secs()))
}

fn key(info: &[u8]) -> Result<PublicKey, CertificateError> {
    info.strip_prefix(&P384_KEY_PREFIX)
        .and_then(|point| PublicKey::try_from(point).ok())
        // 4 marks an uncompressed point, the only form that RFC 5480 section 2.2 requires.
        .filter(|point| point.first() == Some(&4))
        .ok_or(CertificateError::Algorithm("public key"))
}

fn malformed(what: &str) -> CertificateError {
    CertificateError::Malformed(what.to_owned())
}
