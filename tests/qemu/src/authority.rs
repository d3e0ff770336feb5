//! The root that a machine's security module signs under: a throw-away one, and below it a chain of the hardware's shape.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use r3e_fake_nsm::{ChainSpec, TestRoot};

use crate::error::MachineError;

/// As long as the hardware's leaves live.
const LEAF_LIFETIME: Duration = Duration::from_hours(3);
/// The name that the device has in documents, unless it is told another.
const MODULE_ID: &str = "i-234-enc5678";

/// A root in a folder, with the key that the device signs by.
#[derive(Debug)]
pub struct TestAuthority {
    folder: PathBuf,
}

impl TestAuthority {
    /// Loads the root of a folder, or makes it, and issues a fresh chain below it.
    ///
    /// # Errors
    /// [`MachineError::Authority`] and [`MachineError::Folder`].
    pub fn issue(folder: &Path) -> Result<Self, MachineError> {
        let root = TestRoot::load_or_create(folder)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let chain = root.issue(&ChainSpec {
            module_id: MODULE_ID.to_owned(),
            issued_at_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            leaf_lifetime: LEAF_LIFETIME,
            instance_authority: true,
        })?;
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, content).map_err(|source| MachineError::Folder { path, source })
        };
        write("key.der", &chain.key_pkcs8()?)?;
        write("leaf.der", &chain.certificate)?;
        for (number, certificate) in chain.cabundle.iter().enumerate() {
            write(&format!("ca{number}.der"), certificate)?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder that the device is given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of the root's certificate, PEM, for whoever is to trust it.
    pub fn root_file(&self) -> PathBuf {
        root_file(&self.folder)
    }
}

/// The file of the root's certificate in a folder of an authority.
pub fn root_file(folder: &Path) -> PathBuf {
    folder.join("test-root.pem")
}
