//! What a chain must start from. Pinned by its bytes, never by its name: anybody can make a certificate with
//! the same subject.

use std::fmt;

use crate::{
    PolicyError,
    certificate::{Certificate, CertificateError},
    limits::MAX_PEM_BYTES,
};

/// The root of the AWS Nitro Attestation PKI, G1, in DER. SHA-256
/// `641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b`.
const AWS_NITRO_G1: &[u8] = include_bytes!("../vectors/AWS_NitroEnclaves_Root-G1.der");

/// The root that a policy trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustAnchor {
    /// The root of the AWS Nitro Attestation PKI, built in.
    #[default]
    AwsNitroG1,
    /// Any other root. Documents under it prove nothing about hardware.
    UnsafeTest(UnsafeTestRoot),
}

impl TrustAnchor {
    pub(crate) fn der(&self) -> &[u8] {
        match self {
            Self::AwsNitroG1 => AWS_NITRO_G1,
            Self::UnsafeTest(root) => &root.0,
        }
    }

    /// Which kind of root this is, for the result to tell.
    pub const fn kind(&self) -> RootKind {
        match self {
            Self::AwsNitroG1 => RootKind::AwsNitroG1,
            Self::UnsafeTest(_) => RootKind::UnsafeTest,
        }
    }
}

/// Under which kind of root a document was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootKind {
    /// The AWS root: a Nitro hypervisor made the document.
    AwsNitroG1,
    /// A test root: whoever holds its key made the document.
    UnsafeTest,
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwsNitroG1 => "aws_nitro_g1",
            Self::UnsafeTest => "unsafe_test",
        })
    }
}

/// A root that is not AWS's: of a software NSM in tests. **Unsafe to trust in production**: whoever holds its
/// key can make documents for any image.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsafeTestRoot(Vec<u8>);

impl UnsafeTestRoot {
    /// Takes a root certificate in DER. It is pinned by these bytes.
    ///
    /// # Errors
    /// [`PolicyError::TestRoot`], if it is no X.509 v3 certificate with a P-384 key and an ES384 signature.
    pub fn from_der(der: &[u8]) -> Result<Self, PolicyError> {
        match Certificate::parse(der) {
            Ok(_) => Ok(Self(der.to_vec())),
            Err(CertificateError::Malformed(what)) => Err(PolicyError::TestRoot { what }),
            Err(CertificateError::Algorithm(what)) => {
                Err(PolicyError::TestRoot { what: format!("its {what} is not ES384 on P-384") })
            }
        }
    }

    /// Takes a root certificate in PEM (RFC 7468): exactly one block `CERTIFICATE`.
    ///
    /// # Errors
    /// [`PolicyError::TestRoot`], as [`UnsafeTestRoot::from_der`], and if it is not one block of PEM.
    pub fn from_pem(pem: &str) -> Result<Self, PolicyError> {
        let refused = |what: &str| PolicyError::TestRoot { what: what.to_owned() };
        if pem.len() > MAX_PEM_BYTES {
            return Err(refused("the PEM is longer than 64 KiB"));
        }
        let begins = pem.matches("-----BEGIN ").count();
        let block = pem.find("-----BEGIN CERTIFICATE-----").and_then(|start| pem.get(start..));
        let (1, Some(block)) = (begins, block) else {
            return Err(refused("the PEM must hold exactly one block, a CERTIFICATE"));
        };
        let end = "-----END CERTIFICATE-----";
        let block = block.find(end).and_then(|at| block.get(..at + end.len()));
        let block = block.ok_or_else(|| refused("the PEM block does not end"))?;
        let (_, der) = x509_cert::der::pem::decode_vec(block.as_bytes())
            .map_err(|error| PolicyError::TestRoot { what: error.to_string() })?;
        Self::from_der(&der)
    }
}

impl fmt::Debug for UnsafeTestRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeTestRoot").finish_non_exhaustive()
    }
}
