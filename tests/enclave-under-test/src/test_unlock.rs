//! The `test` unlock provider: a root secret in a file, so that state survives a restart of the local process. It
//! exists in this program alone; no image holds it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use r3e_keys::{AdoptFuture, BoxError, Entropy, KeyError, RootSecret, UnlockFuture, UnlockProvider};
use zeroize::Zeroizing;

const SECRET_BYTES: usize = 32;

/// Reads the root secret from a file, or makes one at the first start.
pub(crate) struct TestUnlock {
    file: PathBuf,
}

impl TestUnlock {
    pub(crate) fn new(state: &Path) -> Self {
        Self { file: state.join("test-root-secret") }
    }

    fn read_or_make(&self, entropy: &dyn Entropy, out: &mut [u8]) -> Result<(), BoxError> {
        let kept = match fs::read(&self.file) {
            Ok(kept) => Zeroizing::new(kept),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut made = Zeroizing::new(vec![0; SECRET_BYTES]);
                entropy.fill(&mut made)?;
                let mut file =
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file)?;
                file.write_all(&made)?;
                file.sync_all()?;
                made
            }
            Err(error) => return Err(error.into()),
        };
        if kept.len() != out.len() {
            return Err(format!("{} does not hold {SECRET_BYTES} bytes", self.file.display()).into());
        }
        out.copy_from_slice(&kept);
        Ok(())
    }

    /// Puts the root into the file in place of what is there: whole, or not at all.
    fn keep(&self, root: &RootSecret) -> Result<(), BoxError> {
        let new = self.file.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(root.reveal().as_slice())?;
        file.sync_all()?;
        Ok(fs::rename(&new, &self.file)?)
    }
}

impl UnlockProvider for TestUnlock {
    fn name(&self) -> &'static str {
        "test"
    }

    fn policy_bytes(&self) -> Vec<u8> {
        b"r3e/1/unlock/test".to_vec()
    }

    fn unlock<'a>(&'a self, entropy: &'a dyn Entropy) -> UnlockFuture<'a> {
        Box::pin(async move {
            RootSecret::fill_with(|bytes| self.read_or_make(entropy, bytes)).map_err(KeyError::Entropy)
        })
    }

    fn adopt<'a>(&'a self, root: &'a RootSecret, _: &'a dyn Entropy) -> AdoptFuture<'a> {
        Box::pin(async move {
            self.keep(root).map_err(|source| KeyError::NotAdopted { provider: self.name(), source })
        })
    }
}
