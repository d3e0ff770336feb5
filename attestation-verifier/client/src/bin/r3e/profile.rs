//! The profile file and the folders that the tool uses.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::CliError;
use crate::limits::MAX_PROFILE_FILE_BYTES;

/// The profile that is used where none is named.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    /// The profile to use where none is named.
    default: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// One profile's settings. Paths are relative to the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Profile {
    pub(crate) address: Option<String>,
    pub(crate) reference_values: Option<PathBuf>,
    pub(crate) setup_reference_values: Option<PathBuf>,
    pub(crate) pin_configuration: Option<PathBuf>,
    pub(crate) test_root: Option<PathBuf>,
    pub(crate) max_age: Option<u64>,
    pub(crate) clock_skew: Option<u64>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) operator_key_file: Option<PathBuf>,
    pub(crate) member_key_file: Option<PathBuf>,
}

/// The folders of the XDG Base Directory Specification.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// Settings, credentials and keys.
    pub(crate) config: PathBuf,
    /// What the tool remembers.
    pub(crate) state: PathBuf,
}

impl Folders {
    /// From `XDG_CONFIG_HOME` and `XDG_STATE_HOME`, else under `HOME`.
    pub(crate) fn from_environment() -> Result<Self, CliError> {
        Self::find(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, CliError> {
        // The specification: a relative path is invalid and ignored.
        let absolute = |name| variable(name).filter(|path| path.is_absolute());
        let home = absolute("HOME");
        let under = |name, fallback| {
            absolute(name)
                .or_else(|| home.as_ref().map(|home| home.join(fallback)))
                .map(|path| path.join("r3e"))
        };
        match (under("XDG_CONFIG_HOME", ".config"), under("XDG_STATE_HOME", ".local/state")) {
            (Some(config), Some(state)) => Ok(Self { config, state }),
            _ => Err(CliError::Usage(
                "there is no home folder: set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME".to_owned(),
            )),
        }
    }

    /// The profile file.
    pub(crate) fn profile_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

/// The profile named `wanted`, or the file's default, with its name. A profile that was asked for by name must be there;
/// without a file, there is an empty one.
pub(crate) fn load(file: &Path, wanted: Option<&str>) -> Result<(String, Profile), CliError> {
    let text = match read_limited(file, MAX_PROFILE_FILE_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(CliError::Io { what: file.display().to_string(), source }),
    };
    let parsed: ProfileFile = toml::from_str(&text)
        .map_err(|source| CliError::Profile { file: file.display().to_string(), source })?;
    let named = wanted.or(parsed.default.as_deref());
    let name = named.unwrap_or(DEFAULT_PROFILE).to_owned();
    // The name becomes a file's name for the credentials.
    if !r3e_proto::api::is_name(&name) {
        return Err(CliError::Usage(format!(
            "{name:?} cannot name a profile: use letters, digits, -, _ and ., not - or . first"
        )));
    }
    match parsed.profiles.get(&name) {
        Some(profile) => Ok((name, profile.clone().relative_to(file.parent()))),
        None if named.is_none() => Ok((name, Profile::default())),
        None => Err(CliError::Usage(format!("{} has no [profiles.{name}]", file.display()))),
    }
}

impl Profile {
    fn relative_to(mut self, folder: Option<&Path>) -> Self {
        let Some(folder) = folder else { return self };
        for path in [
            &mut self.reference_values,
            &mut self.setup_reference_values,
            &mut self.pin_configuration,
            &mut self.test_root,
            &mut self.key_file,
            &mut self.operator_key_file,
            &mut self.member_key_file,
        ] {
            // An absolute path stays as it is.
            *path = path.take().map(|path| folder.join(path));
        }
        self
    }
}

/// Reads a text file of at most `max_bytes`.
pub(crate) fn read_limited(path: &Path, max_bytes: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(max_bytes + 1).read_to_string(&mut text)?;
    if text.len() as u64 > max_bytes { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

/// Reads a file of at most `max_bytes`.
pub(crate) fn read_bytes_limited(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Room for all of it at once: what grows leaves copies behind, and some of these files are secret.
    let expected = file.metadata()?.len().min(max_bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default().saturating_add(1));
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_profile_is_found_and_its_paths_are_relative_to_the_file() {
        let (folder, path) = file(
            "default = 'b'\n[profiles.a]\naddress = 'x'\n[profiles.b]\nkey_file = 'k.pem'\ntest_root = '/abs.pem'\n",
        );
        let (name, b) = load(&path, None).unwrap();
        assert_eq!(name, "b");
        assert_eq!(b.key_file, Some(folder.path().join("k.pem")));
        assert_eq!(b.test_root, Some("/abs.pem".into()));
        assert_eq!(load(&path, Some("a")).unwrap().1.address.as_deref(), Some("x"));
    }

    #[test]
    fn without_a_file_there_is_an_empty_profile_unless_one_was_asked_for() {
        let none = Path::new("/nonexistent/config.toml");
        assert_eq!(load(none, None).unwrap(), (DEFAULT_PROFILE.to_owned(), Profile::default()));
        assert_eq!(load(none, Some("a")).unwrap_err().code(), "usage");
        let (_folder, path) = file("default = 'gone'\n");
        assert_eq!(load(&path, None).unwrap_err().code(), "usage");
    }

    #[test]
    fn misspelt_and_hostile_files_are_refused() {
        for (text, code) in [
            ("[profiles.default]\nadress = 'x'\n", "profile"),
            ("[profile.default]\n", "profile"),
            ("[profiles.default]\nmax_age = -1\n", "profile"),
            ("default = '../../etc'\n", "usage"),
        ] {
            let (_folder, path) = file(text);
            assert_eq!(load(&path, None).unwrap_err().code(), code, "{text}");
        }
        let (_folder, path) = file(&"#".repeat(300 * 1024));
        assert_eq!(load(&path, None).unwrap_err().code(), "io");
    }

    #[test]
    fn folders_follow_the_environment() {
        let find = |variables: &[(&str, &str)]| {
            let variables: BTreeMap<String, PathBuf> =
                variables.iter().map(|(name, path)| ((*name).to_owned(), path.into())).collect();
            Folders::find(|name| variables.get(name).cloned())
        };
        let folders = find(&[("HOME", "/home/u")]).unwrap();
        assert_eq!(folders.config, Path::new("/home/u/.config/r3e"));
        assert_eq!(folders.state, Path::new("/home/u/.local/state/r3e"));
        let folders = find(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "rel")]).unwrap();
        assert_eq!((folders.config, folders.state), ("/c/r3e".into(), "/h/.local/state/r3e".into()));
        assert!(find(&[]).is_err());
        assert!(find(&[("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s")]).is_ok());
    }
}
