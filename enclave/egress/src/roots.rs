//! Whom the enclave believes about names on the internet: Mozilla's list as built in, and the roots that the
//! measured configuration adds.

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use crate::{error::RootsError, limits::MAX_EXTRA_ROOTS};

/// Last parts of the subjects of Amazon's roots; in DER, the common name is the last.
const AMAZON: [&str; 5] = [
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
];

/// The trusted roots.
#[derive(Debug, Clone)]
pub struct TrustRoots(RootCertStore);

impl TrustRoots {
    /// Mozilla's list, as it was when the image was built.
    pub fn public() -> Self {
        Self(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// The roots of Amazon Trust Services in Mozilla's list, and no other: whom AWS's own servers are certified by.
    pub fn amazon() -> Self {
        let all = webpki_roots::TLS_SERVER_ROOTS.iter();
        // The list is compiled in, so a name in it is Mozilla's word, not a claim of somebody's.
        let named = |subject: &[u8]| AMAZON.iter().any(|name| subject.ends_with(name.as_bytes()));
        Self(RootCertStore { roots: all.filter(|root| named(&root.subject)).cloned().collect() })
    }

    /// No root: what is added then is all there is.
    pub fn none() -> Self {
        Self(RootCertStore::empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_roots_are_five_of_many() {
        assert_eq!(TrustRoots::amazon().0.len(), AMAZON.len());
        assert!(TrustRoots::public().0.len() > 20 * AMAZON.len());
        assert!(TrustRoots::none().0.is_empty());
    }
}
