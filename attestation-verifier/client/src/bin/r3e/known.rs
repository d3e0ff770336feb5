//! What was seen and accepted at an address: trust on first use, as `ssh` knows its hosts. One file has configurations,
//! one the setups of quorums, one the appliances themselves.
//!
//! A file has a line for each appliance, its address and what is known of it in hex: a SHA-384 digest, or identity and
//! report key. It is its owner's
//! alone, is replaced whole, and nothing in it is secret: who could write to it could make the tool trust another
//! operator's appliance.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use r3e_client::{Address, write_private_new};

use crate::error::CliError;
use crate::limits::{MAX_KNOWN_CONFIGURATIONS, MAX_KNOWN_FILE_BYTES};

/// The first line of the file of configurations.
const CONFIGURATIONS_HEAD: &str =
    "# Appliances that r3e has accepted: address, and SHA-384 of the configuration. `r3e --help` says more.";
/// The first line of the file of setups.
const SETUPS_HEAD: &str = "# Setups that r3e has approved: address, and digest of the setup. `r3e operator approve --help` says more.";

/// The first line of the file of appliances.
const APPLIANCES_HEAD: &str =
    "# Appliances that r3e knows: address, identity (the commitment to the root secret), and report key.";

/// A file of SHA-384 digests.
pub(crate) type KnownDigests = Known<48>;

/// A file of what is known of each address: `N` bytes, written in words of so many.
#[derive(Debug, Clone)]
pub(crate) struct Known<const N: usize> {
    path: PathBuf,
    head: &'static str,
    word_bytes: usize,
}

impl Known<64> {
    /// Appliances, in the tool's folder of settings: identity, then report key.
    pub(crate) fn appliances(config: &Path) -> Self {
        Self { path: config.join("known_appliances"), head: APPLIANCES_HEAD, word_bytes: 32 }
    }
}

impl Known<48> {
    /// Configurations, in the tool's folder of settings.
    pub(crate) fn configurations(config: &Path) -> Self {
        Self { path: config.join("known_configurations"), head: CONFIGURATIONS_HEAD, word_bytes: 48 }
    }

    /// Quorums' setups, in the tool's folder of settings.
    pub(crate) fn setups(config: &Path) -> Self {
        Self { path: config.join("known_setups"), head: SETUPS_HEAD, word_bytes: 48 }
    }
}

impl<const N: usize> Known<N> {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is known of an address.
    pub(crate) fn find(&self, address: &Address) -> Result<Option<[u8; N]>, CliError> {
        Ok(self.read()?.get(&key(address)).copied())
    }

    /// Remembers a value where nothing was known. Gives the one that is known from then on: another, where
    /// another run of the tool was first.
    pub(crate) fn remember_first(&self, address: &Address, value: &[u8; N]) -> Result<[u8; N], CliError> {
        self.change(|known| *known.entry(key(address)).or_insert(*value))
    }

    /// Remembers a value in place of the one known.
    pub(crate) fn replace(&self, address: &Address, value: &[u8; N]) -> Result<(), CliError> {
        self.change(|known| {
            known.insert(key(address), *value);
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<String, [u8; N]>) -> T) -> Result<T, CliError> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|source| at(folder, source))?;
        }
        // Runs of the tool at once take turns: no line is lost.
        let lock = self.path.with_extension("lock");
        let held = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| at(&lock, source))?;
        let before = self.read()?;
        let mut known = before.clone();
        let result = change(&mut known);
        if known.len() > MAX_KNOWN_CONFIGURATIONS {
            return Err(
                self.damaged(&format!("it would name more than {MAX_KNOWN_CONFIGURATIONS} appliances"))
            );
        }
        if known != before {
            self.write(&known)?;
        }
        drop(held);
        Ok(result)
    }

    fn read(&self) -> Result<BTreeMap<String, [u8; N]>, CliError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(at(&self.path, source)),
        };
        // Of the open file, not of the path: what is checked is what is read.
        let metadata = file.metadata().map_err(|source| at(&self.path, source))?;
        if metadata.mode() & 0o022 != 0 {
            return Err(self.damaged("others may write to it: run chmod 600 on it, and look at what it says"));
        }
        if metadata.len() > MAX_KNOWN_FILE_BYTES {
            return Err(self.damaged(&format!("it has more than {MAX_KNOWN_FILE_BYTES} bytes")));
        }
        let mut text = String::new();
        file.take(MAX_KNOWN_FILE_BYTES).read_to_string(&mut text).map_err(|source| at(&self.path, source))?;
        let mut known = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || {
                let digits = 2 * self.word_bytes;
                self.damaged(&format!(
                    "line {number} is not an address and {digits} hex digits for each value"
                ))
            };
            let (address, digits) = line.split_once(' ').ok_or_else(wrong)?;
            let parsed: Address = address.parse().map_err(|_| wrong())?;
            let value = self.value(digits).ok_or_else(wrong)?;
            if known.insert(key(&parsed), value).is_some() {
                return Err(self.damaged(&format!("line {number} names {address} a second time")));
            }
        }
        Ok(known)
    }

    /// The value that a line has behind the address: its words, with one space between them.
    fn value(&self, text: &str) -> Option<[u8; N]> {
        let mut value = [0; N];
        let mut words = text.split(' ');
        for word in value.chunks_mut(self.word_bytes) {
            hex::decode_to_slice(words.next()?, word).ok()?;
        }
        words.next().is_none().then_some(value)
    }

    fn write(&self, known: &BTreeMap<String, [u8; N]>) -> Result<(), CliError> {
        let line = |(address, value): (&String, &[u8; N])| {
            let words: Vec<String> = value.chunks(self.word_bytes).map(hex::encode).collect();
            format!("{address} {}\n", words.join(" "))
        };
        let lines = known.iter().map(line);
        let text = format!("{}\n{}", self.head, lines.collect::<String>());
        let new = self.path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&new, error)),
            _ => {}
        }
        write_private_new(&new, text.as_bytes())?;
        fs::rename(&new, &self.path).map_err(|source| at(&self.path, source))?;
        // The rename is durable once the folder is: a crash must not make a pinned appliance an unknown one again.
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| at(folder, source))
    }

    fn damaged(&self, what: &str) -> CliError {
        CliError::KnownDigests { file: self.path.display().to_string(), what: what.to_owned() }
    }
}

/// DNS names are the same in any case; the port is always there.
fn key(address: &Address) -> String {
    address.to_string().to_ascii_lowercase()
}

fn at(path: &Path, source: io::Error) -> CliError {
    CliError::Io { what: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_one_stays_until_it_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownDigests::configurations(&folder.path().join("deeper"));
        let (one, two) = (address("one.example"), address("[::1]:8443"));
        assert_eq!(known.find(&one).unwrap(), None);
        assert_eq!(known.remember_first(&one, &[1; 48]).unwrap(), [1; 48]);
        assert_eq!(known.remember_first(&one, &[2; 48]).unwrap(), [1; 48], "first come, and no other");
        assert_eq!(known.remember_first(&two, &[3; 48]).unwrap(), [3; 48]);
        assert_eq!(known.find(&address("ONE.example:443")).unwrap(), Some([1; 48]));
        assert_eq!(known.find(&address("one.example:444")).unwrap(), None);
        known.replace(&one, &[2; 48]).unwrap();
        assert_eq!(known.find(&one).unwrap(), Some([2; 48]));
        assert_eq!(known.find(&two).unwrap(), Some([3; 48]));
        assert_eq!(known.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_appliance_has_two_words_and_no_digest_passes_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::appliances(folder.path());
        let one = address("one.example");
        let value: [u8; 64] = std::array::from_fn(|index| if index < 32 { 1 } else { 2 });
        assert_eq!(known.remember_first(&one, &value).unwrap(), value);
        let text = fs::read_to_string(known.path()).unwrap();
        let (identity, key) = ("01".repeat(32), "02".repeat(32));
        assert!(text.ends_with(&format!("one.example:443 {identity} {key}\n")), "{text}");
        assert_eq!(known.find(&one).unwrap(), Some(value));
        for line in
            [identity.clone(), format!("{identity}{key}"), format!("{identity} {key} {key}"), "ab".repeat(48)]
        {
            fs::write(known.path(), format!("one.example:443 {line}\n")).unwrap();
            assert_eq!(known.find(&one).unwrap_err().code(), "known_appliances", "{line}");
        }
    }

    #[test]
    fn many_at_once_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            for writer in 0..4u8 {
                scope.spawn(move || {
                    let known = KnownDigests::configurations(path);
                    for port in 1..=20 {
                        let address = address(&format!("h{writer}.example:{port}"));
                        known.remember_first(&address, &[writer; 48]).unwrap();
                    }
                });
            }
        });
        assert_eq!(KnownDigests::configurations(path).read().unwrap().len(), 80);
    }

    #[test]
    fn a_file_that_is_damaged_or_open_to_others_is_no_first_use() {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownDigests::configurations(folder.path());
        let digest = "ab".repeat(48);
        for text in [
            "one.example:443".to_owned(),
            format!("one.example:443 {}", &digest[2..]),
            format!("one.example:443 {digest} more"),
            format!("https://one.example {digest}"),
            format!("one.example:443 {digest}\nONE.example {digest}\n"),
            "\u{0}".to_owned(),
        ] {
            fs::write(known.path(), &text).unwrap();
            let refused = known.find(&address("other.example")).unwrap_err();
            assert_eq!((refused.code(), refused.exit_code()), ("known_configurations", 2), "{text:?}");
            assert!(known.remember_first(&address("other.example"), &[1; 48]).is_err(), "{text:?}");
            assert_eq!(fs::read_to_string(known.path()).unwrap(), text, "it is left as it is");
        }
        fs::write(known.path(), format!("# mine\n\none.example:443 {digest}\n")).unwrap();
        assert_eq!(known.find(&address("one.example")).unwrap(), Some([0xab; 48]));
        fs::set_permissions(known.path(), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(known.find(&address("one.example")).unwrap_err().code(), "known_configurations");
    }
}
