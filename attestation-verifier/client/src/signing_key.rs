//! The Ed25519 keys by which operators and tenants sign in, and the files that hold them.
//!
//! A key file is PEM of PKCS#8 (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it, readable by its owner
//! alone. Nothing here overwrites a file.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_proto::api::identity::PublicKey;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::limits::MAX_KEY_FILE_BYTES;

/// An Ed25519 key pair. Its `Debug` shows the public half alone; the library beneath clears it when it is dropped.
pub struct SigningKey(Ed25519KeyPair);

/// Why there is no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file system refused.
    #[error("the key file {path:?} cannot be used: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a file already.
    #[error("{path:?} exists: a key is never overwritten. Choose another file, or move that one away")]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{path:?} may be read or written by others (mode {mode:04o}); run: chmod 600 {path:?}")]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("{path:?} is not a regular file")]
    NotAFile {
        /// Which file.
        path: PathBuf,
    },
    /// Not a key of ours.
    #[error("{path:?} holds no Ed25519 private key in PEM (PKCS#8). Make one with `r3e tenants keygen`")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// Not a member's keys.
    #[error(
        "{path:?} holds no member's keys: two private keys in PEM (PKCS#8), Ed25519 and then X25519. Make them with \
         `r3e operator keygen --member NAME`"
    )]
    MemberFormat {
        /// Which file.
        path: PathBuf,
    },
    /// The machine's random generator failed.
    #[error("the random generator of this machine failed: no key was made")]
    Random,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| KeyError::Random)
    }

    /// The key in a file.
    ///
    /// # Errors
    /// [`KeyError`]: unreadable, readable by others, or no Ed25519 key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_private(path)?;
        let format = || KeyError::Format { path: path.to_owned() };
        let key = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| format())?;
        Self::from_pkcs8(key.secret_pkcs8_der()).ok_or_else(format)
    }

    /// The key in a PKCS#8 document, if it is an Ed25519 key's.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_pkcs8(der).map(Self).ok()
    }

    /// The key as it stands in a file.
    pub(crate) fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = self.0.to_pkcs8v1().map_err(|_| KeyError::Random)?;
        Ok(pem(der.as_ref()))
    }

    /// Writes the key to a new file with mode 0600.
    ///
    /// # Errors
    /// [`KeyError`]: the file exists, or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        write_private_new(path, self.to_pem()?.as_bytes())
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        let mut key = [0; 32];
        // An Ed25519 public key has 32 bytes (RFC 8032).
        key.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(key)
    }

    /// Signs a message: the 64 bytes of RFC 8032.
    pub(crate) fn sign_fixed(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        // An Ed25519 signature has 64 bytes (RFC 8032).
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }

    /// Signs a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public_key().to_string()).finish()
    }
}

/// A PKCS#8 document as PEM.
pub(crate) fn pem(der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", &*base64))
}

/// Reads a file that its owner alone may read.
///
/// # Errors
/// [`KeyError`]: unreadable, too long, not a file, or open to others.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let at = |source| KeyError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(at)?;
    // Of the open file, not of the path: what is checked is what is read.
    let metadata = file.metadata().map_err(at)?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile { path: path.to_owned() });
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(KeyError::Permissions { path: path.to_owned(), mode: metadata.mode() & 0o7777 });
    }
    if metadata.len() > MAX_KEY_FILE_BYTES {
        return Err(at(io::ErrorKind::FileTooLarge.into()));
    }
    let mut text =
        Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_KEY_FILE_BYTES).unwrap_or_default()));
    file.take(MAX_KEY_FILE_BYTES).read_to_end(&mut text).map_err(at)?;
    Ok(text)
}

/// Writes a new file that its owner alone may read, durably.
///
/// # Errors
/// [`KeyError`]: the file exists, or cannot be written.
pub fn write_private_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let at = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
        _ => KeyError::Io { path: path.to_owned(), source },
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// RFC 8410 section 10.3, the key without its public half.
    const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const RFC_8410_PUBLIC: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    fn private(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        write_private_new(&path, text.as_bytes()).unwrap();
        path
    }

    #[test]
    fn the_key_of_the_standard_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path(), "key.pem", RFC_8410);
        assert_eq!(SigningKey::read(&path).unwrap().public_key().to_string(), RFC_8410_PUBLIC);
    }

    #[test]
    fn a_written_key_is_the_same_key_and_its_file_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = SigningKey::generate().unwrap();
        key.write_new(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let read = SigningKey::read(&path).unwrap();
        assert_eq!(read.public_key(), key.public_key());
        let public = UnparsedPublicKey::new(&ED25519, key.public_key().0);
        assert!(public.verify(b"message", &read.sign(b"message")).is_ok());
        assert!(public.verify(b"massage", &read.sign(b"message")).is_err());
        assert!(matches!(key.write_new(&path), Err(KeyError::Exists { .. })));
    }

    #[test]
    fn files_open_to_others_and_what_is_no_key_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = private(folder.path(), "open.pem", RFC_8410);
        for mode in [0o640, 0o604, 0o620, 0o602, 0o777] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = SigningKey::read(&path);
            assert!(matches!(refused, Err(KeyError::Permissions { mode: m, .. }) if m == mode), "{mode:o}");
        }
        for (name, text) in [("empty", ""), ("words", "not a key"), ("cut", &RFC_8410[..60])] {
            let path = private(folder.path(), name, text);
            assert!(matches!(SigningKey::read(&path), Err(KeyError::Format { .. })), "{name}");
        }
        let long = private(folder.path(), "long", &"x".repeat(20_000));
        assert!(matches!(SigningKey::read(&long), Err(KeyError::Io { .. })));
        assert!(matches!(SigningKey::read(folder.path()), Err(KeyError::NotAFile { .. })));
        assert!(matches!(SigningKey::read(&folder.path().join("none")), Err(KeyError::Io { .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::read(&private(folder.path(), "key.pem", RFC_8410)).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({RFC_8410_PUBLIC:?})"));
    }
}
