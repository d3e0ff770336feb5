//! The API key that `r3e login` saved: one private file a profile.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use r3e_client::{ApiKey, KeyError, read_private, write_private_new};
use r3e_proto::api::identity::TenantId;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::CliError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsFile {
    api_key: String,
    tenant: TenantId,
}

/// Where the API key of a profile is. The profile's name is one that may name a file.
pub(crate) fn path(config: &Path, profile: &str) -> PathBuf {
    config.join("credentials").join(format!("{profile}.toml"))
}

/// The saved API key; none where none was saved.
pub(crate) fn load(path: &Path) -> Result<Option<ApiKey>, CliError> {
    let text = match read_private(path) {
        Ok(text) => text,
        Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let damaged = || CliError::Usage(format!("{} is damaged: run `r3e login` again", path.display()));
    let text = std::str::from_utf8(&text).map_err(|_| damaged())?;
    // The parser's own error quotes the line it stands in, which may be the key's.
    let parsed: CredentialsFile = toml::from_str(text).map_err(|_| damaged())?;
    let key = ApiKey::parse(Zeroizing::new(parsed.api_key)).map_err(|_| damaged())?;
    Ok(Some(key.of_tenant(parsed.tenant)))
}

/// Makes the folder for [`save`], so that a key is minted only where it can be saved.
pub(crate) fn prepare(path: &Path) -> Result<(), CliError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| at(folder, source))
}

/// Saves an API key in place of the one before.
pub(crate) fn save(path: &Path, key: &ApiKey, tenant: TenantId) -> Result<(), CliError> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&new, error)),
        _ => {}
    }
    let text = Zeroizing::new(format!("api_key = \"{}\"\ntenant = \"{tenant}\"\n", key.expose()));
    write_private_new(&new, text.as_bytes())?;
    fs::rename(&new, path).map_err(|source| at(path, source))
}

fn at(path: &Path, source: io::Error) -> CliError {
    CliError::Io { what: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(digit: char) -> ApiKey {
        let text = format!("r3e_{}_{}", digit.to_string().repeat(16), "7".repeat(64));
        ApiKey::parse(Zeroizing::new(text)).unwrap()
    }

    #[test]
    fn a_saved_key_comes_back_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), "local");
        assert!(load(&path).unwrap().is_none());
        prepare(&path).unwrap();
        for digit in ['1', '2'] {
            save(&path, &key(digit), TenantId([9; 16])).unwrap();
            let loaded = load(&path).unwrap().unwrap();
            assert_eq!(loaded.expose(), key(digit).expose());
            assert_eq!(loaded.tenant(), Some(TenantId([9; 16])));
        }
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load(&path).unwrap_err().code(), "key_file");
    }

    #[test]
    fn a_damaged_file_is_refused_and_its_error_quotes_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.toml");
        for text in ["api_key = \"r3e_5\ntenant = ''", "api_key = 'r3e_5'\ntenant = 'r3e_5'", "\u{1}r3e_5"] {
            write_private_new(&path, text.as_bytes()).unwrap();
            let error = load(&path).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(!error.chain().contains("r3e_5"), "{}", error.chain());
            fs::remove_file(&path).unwrap();
        }
    }
}
