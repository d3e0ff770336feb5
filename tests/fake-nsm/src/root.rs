//! The test root: a P-384 certificate authority, made once for a state folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
    date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::FakeNsmError;
use crate::names::Names;

/// The private key and the certificate of the root, one file so that they cannot differ.
const IDENTITY_FILE: &str = "test-root-identity.pem";

/// The certificate alone, for whoever is to trust it.
const CERTIFICATE_FILE: &str = "test-root.pem";

const CERTIFICATE_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A root authority for tests.
#[derive(Debug)]
pub struct TestRoot {
    pub(crate) key: KeyPair,
    pub(crate) names: Names,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl TestRoot {
    /// Makes a root that is kept nowhere, valid from 2020 until 2050.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::Certificate`].
    pub fn generate(names: Names) -> Result<Self, FakeNsmError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let certificate = Self::params(&names)?.self_signed(&key)?;
        Ok(Self { key, names, certificate: certificate.der().clone(), pem: certificate.pem() })
    }

    /// Loads the root of a state folder, or makes it, under [`Names::test`]: the first start of many at once wins, and the
    /// others load what it made. `test-root.pem` is written for those who are to trust it.
    ///
    /// # Errors
    ///
    /// [`FakeNsmError::State`], [`FakeNsmError::StoredRoot`] and [`FakeNsmError::Certificate`].
    pub fn load_or_create(state_dir: &Path) -> Result<Self, FakeNsmError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FakeNsmError::State { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(state_dir).map_err(failed(state_dir))?;
        let identity = state_dir.join(IDENTITY_FILE);
        if !identity.try_exists().map_err(failed(&identity))? {
            let fresh = Self::generate(Names::test())?;
            let pem = fresh.key.serialize_pem() + fresh.pem();
            let staged = stage(state_dir, pem.as_bytes(), 0o600).map_err(failed(&identity))?;
            // Unlike a rename, a link never replaces the root that another process has just made.
            let linked = fs::hard_link(&staged, &identity);
            fs::remove_file(&staged).map_err(failed(&staged))?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed(&identity)(error));
                }
                _ => {}
            }
        }
        let root = Self::load(&identity)?;
        let public = state_dir.join(CERTIFICATE_FILE);
        stage(state_dir, root.pem().as_bytes(), 0o644)
            .and_then(|staged| fs::rename(staged, &public))
            .map_err(failed(&public))?;
        Ok(root)
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The parameters the certificate is made from, and its children refer to.
    pub(crate) fn params(names: &Names) -> Result<CertificateParams, FakeNsmError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = names.root()?;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2050, 1, 1);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(params)
    }

    fn load(identity: &Path) -> Result<Self, FakeNsmError> {
        let damaged = |problem: String| FakeNsmError::StoredRoot { path: identity.to_owned(), problem };
        let pem = fs::read_to_string(identity)
            .map_err(|source| FakeNsmError::State { path: identity.to_owned(), source })?;
        let key = KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_ECDSA_P384_SHA384)
            .map_err(|error| damaged(error.to_string()))?;
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| damaged(error.to_string()))?;
        // The certificate is the file's last section.
        let pem =
            pem.find(CERTIFICATE_BEGIN).map(|start| pem.split_at(start).1.to_owned()).unwrap_or_default();
        Ok(Self { key, names: Names::test(), certificate, pem })
    }
}

/// Writes a file beside its final place, whole and synced, under a name that no one else uses.
fn stage(folder: &Path, content: &[u8], mode: u32) -> io::Result<PathBuf> {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let path = folder.join(format!(".staged-{}-{}", std::process::id(), TURN.fetch_add(1, Relaxed)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    file.write_all(content)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}
