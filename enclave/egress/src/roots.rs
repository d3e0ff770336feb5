//! Whom the enclave believes about names on the internet: Mozilla's list as built in, and the roots that the
//! measured configuration adds.

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::{error::RootsError, limits::MAX_EXTRA_ROOTS};

/// The trusted roots.
#[derive(Debug, Clone)]
pub struct TrustRoots(RootCertStore);

impl TrustRoots {
    /// Mozilla's list, as it was when the image was built.
    pub fn public() -> Self {
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// Adds roots, each one certificate in DER. They are part of the measured configuration, so whoever appraises
    /// the appliance sees them.
    ///
    /// # Errors
    /// [`RootsError`], and then none is added.
    pub fn with_extra<D: AsRef<[u8]>>(mut self, extra: &[D]) -> Result<Self, RootsError> {
        if extra.len() > MAX_EXTRA_ROOTS {
            return Err(RootsError::TooMany { count: extra.len(), limit: MAX_EXTRA_ROOTS });
        }
        for (index, der) in extra.iter().enumerate() {
            let certificate = CertificateDer::from(der.as_ref());
            self.0.add(certificate).map_err(|source| RootsError::Certificate { index, source })?;
        }
        Ok(self)
    }

    pub(crate) fn into_store(self) -> RootCertStore {
        self.0
    }
}
