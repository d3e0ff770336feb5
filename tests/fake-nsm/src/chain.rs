//! Certificate chains of the hardware's shape: root, region, zone, instance, enclave.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, SigningKey,
};
use time::OffsetDateTime;

use crate::error::FakeNsmError;
use crate::root::TestRoot;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The leaf is valid from a little before it is issued, as on hardware.
const LEAF_EARLY_MS: i64 = 3_000;

/// What chain to make.
#[derive(Debug, Clone)]
pub struct ChainSpec {
    /// The identifier of the NSM that the leaf belongs to.
    pub module_id: String,
    /// When the leaf is issued, in milliseconds since the Unix epoch.
    pub issued_at_ms: i64,
    /// How long the leaf is valid from then.
    pub leaf_lifetime: Duration,
    /// Whether the instance's authority stands above the leaf.
    pub instance_authority: bool,
}

/// A leaf key with the certificates that vouch for it.
#[derive(Debug)]
pub struct SigningChain {
    key: EcdsaKeyPair,
    /// The leaf certificate, DER.
    pub certificate: Vec<u8>,
    /// The authorities' certificates, DER, root first.
    pub cabundle: Vec<Vec<u8>>,
}

impl SigningChain {
    /// Signs by the leaf key: ES384, 96 bytes, r then s (RFC 9053 section 2.1).
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Key`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, FakeNsmError> {
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(|_| FakeNsmError::Key)?;
        Ok(signature.as_ref().to_vec())
    }

    /// The leaf key, PKCS #8 (RFC 5958), for another device to sign by.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Key`].
    pub fn key_pkcs8(&self) -> Result<Vec<u8>, FakeNsmError> {
        let document = self.key.to_pkcs8v1().map_err(|_| FakeNsmError::Key)?;
        Ok(document.as_ref().to_vec())
    }
}

impl TestRoot {
    /// Makes a fresh chain below this root: new keys for every authority and for the leaf.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Certificate`], [`FakeNsmError::Key`] and [`FakeNsmError::Time`].
    pub fn issue(&self, spec: &ChainSpec) -> Result<SigningChain, FakeNsmError> {
        let root_params = Self::params(&self.names)?;
        let mut cabundle = vec![self.der().to_vec()];

        let regional = Authority {
            subject: self.names.regional()?,
            path_length: 2,
            valid_ms: (spec.issued_at_ms - 4 * DAY_MS, spec.issued_at_ms + 16 * DAY_MS),
            signs_crls: true,
        };
        let regional = regional.below(&Issuer::from_params(&root_params, &self.key), &mut cabundle)?;
        let zonal = Authority {
            subject: self.names.zonal()?,
            path_length: 1,
            valid_ms: (spec.issued_at_ms - 10 * HOUR_MS, spec.issued_at_ms + 5 * DAY_MS),
            signs_crls: true,
        };
        let mut issuer = zonal.below(&regional, &mut cabundle)?;
        if spec.instance_authority {
            let instance = Authority {
                subject: self.names.instance(&spec.module_id)?,
                path_length: 0,
                valid_ms: (spec.issued_at_ms - 3 * HOUR_MS, spec.issued_at_ms + 21 * HOUR_MS),
                signs_crls: false,
            };
            issuer = instance.below(&issuer, &mut cabundle)?;
        }

        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let lifetime_ms = i64::try_from(spec.leaf_lifetime.as_millis()).unwrap_or(i64::MAX);
        let valid_ms = (spec.issued_at_ms - LEAF_EARLY_MS, spec.issued_at_ms.saturating_add(lifetime_ms));
        let mut params = valid(valid_ms)?;
        params.distinguished_name = self.names.leaf(&spec.module_id)?;
        params.custom_extensions = leaf_extensions();
        let certificate = params.signed_by(&key, &issuer)?.der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.serialized_der())
            .map_err(|_| FakeNsmError::Key)?;
        Ok(SigningChain { key, certificate, cabundle })
    }
}

struct Authority {
    subject: DistinguishedName,
    path_length: u8,
    valid_ms: (i64, i64),
    signs_crls: bool,
}

impl Authority {
    /// Certifies this authority by `issuer`, adds the certificate to the bundle, and returns it as
    /// an issuer.
    fn below(
        self,
        issuer: &Issuer<'_, impl SigningKey>,
        cabundle: &mut Vec<Vec<u8>>,
    ) -> Result<Issuer<'static, KeyPair>, FakeNsmError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let mut params = valid(self.valid_ms)?;
        params.distinguished_name = self.subject;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(self.path_length));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        if self.signs_crls {
            params.key_usages.extend([KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign]);
            params.crl_distribution_points = vec![CrlDistributionPoint {
                uris: vec![
                    "http://crl.fake-nsm.invalid/crl/5f0c5a6e-0000-4000-8000-000000000000.crl".to_owned(),
                ],
            }];
        }
        cabundle.push(params.signed_by(&key, issuer)?.der().to_vec());
        Ok(Issuer::new(params, key))
    }
}

fn valid((from_ms, until_ms): (i64, i64)) -> Result<CertificateParams, FakeNsmError> {
    let at = |millis: i64| {
        OffsetDateTime::from_unix_timestamp(millis.div_euclid(1000)).map_err(|_| FakeNsmError::Time(millis))
    };
    let mut params = CertificateParams::default();
    params.not_before = at(from_ms)?;
    params.not_after = at(until_ms)?;
    Ok(params)
}

/// The hardware's leaf has two extensions and no key identifiers: basicConstraints, critical, not an
/// authority; keyUsage, not critical, digitalSignature and nonRepudiation (RFC 5280 section 4.2.1).
fn leaf_extensions() -> Vec<CustomExtension> {
    let mut basic_constraints = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0x00]);
    basic_constraints.set_criticality(true);
    let key_usage = CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![0x03, 0x02, 0x06, 0xc0]);
    vec![basic_constraints, key_usage]
}
