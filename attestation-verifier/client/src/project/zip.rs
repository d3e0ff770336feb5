//! A function in a zip. What programs could read in different ways is refused: what one shows must be what is deployed.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::gathered::Gathered;
use super::{MANIFEST, ProjectError};
use crate::limits::{MAX_MANIFEST_BYTES, MAX_PROJECT_DEPTH, MAX_PROJECT_ENTRIES, MAX_ZIP_BYTES};

/// The end of a zip without a comment (APPNOTE 4.3.16), and its first bytes.
const END_BYTES: usize = 22;
const END_SIGNATURE: &[u8] = b"PK\x05\x06";

/// An archive whose entries have distinct names that stay inside.
pub(super) struct Zip<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Zip<'a> {
    /// Reads the list of entries.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ProjectError> {
        if bytes.len() as u64 > MAX_ZIP_BYTES {
            return Err(ProjectError::ZipSize(bytes.len() as u64));
        }
        let listed = listed_entries(bytes)?;
        if listed > MAX_PROJECT_ENTRIES {
            return Err(ProjectError::TooManyEntries);
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes))?;
        // The reader keeps the last of those with one name.
        if archive.len() != listed {
            return Err(ProjectError::Ambiguous("a name stands in it twice"));
        }
        if archive.has_overlapping_entries()? {
            return Err(ProjectError::Ambiguous("entries share bytes"));
        }
        let mut names = BTreeSet::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index)?;
            let name = entry.name()?.into_owned();
            check_name(&name)?;
            if entry.is_symlink() {
                return Err(ProjectError::Symlink(name));
            }
            if entry.encrypted() {
                return Err(ProjectError::Encrypted(name));
            }
            if !names.insert(name.trim_end_matches('/').to_owned()) {
                return Err(ProjectError::Duplicate(name));
            }
        }
        Ok(Self(archive))
    }

    /// The text of the manifest.
    pub(super) fn manifest(&mut self) -> Result<String, ProjectError> {
        let index = self.0.index_for_name(MANIFEST).ok_or(ProjectError::NoManifest)?;
        let bytes = self.read(index, MANIFEST, MAX_MANIFEST_BYTES)?;
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ProjectError::ManifestSize);
        }
        String::from_utf8(bytes).map_err(|_| ProjectError::NotText(MANIFEST.to_owned()))
    }

    /// Gathers its files.
    pub(super) fn gather(&mut self, gathered: &mut Gathered<'_>) -> Result<(), ProjectError> {
        for index in 0..self.0.len() {
            let entry = self.0.by_index_raw(index)?;
            let name = entry.name()?.into_owned();
            if entry.is_dir() || gathered.passes_over(&name) {
                continue;
            }
            drop(entry);
            if let Some(max_bytes) = gathered.wants(&name)? {
                let bytes = self.read(index, &name, max_bytes)?;
                gathered.take(&name, bytes)?;
            }
        }
        Ok(())
    }

    /// The bytes of an entry; one more than `max_bytes` where it has more, whatever it says of its size.
    fn read(&mut self, index: usize, name: &str, max_bytes: usize) -> Result<Vec<u8>, ProjectError> {
        let mut bytes = Vec::new();
        let entry = self.0.by_index(index)?;
        let read = entry.take(max_bytes as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| ProjectError::Io { path: name.to_owned(), source })?;
        Ok(bytes)
    }
}

/// How many entries the end of the archive says that it has. The end must be the end: with a comment, or bytes after it, two
/// programs may find two ends.
fn listed_entries(bytes: &[u8]) -> Result<usize, ProjectError> {
    let end = bytes.len().checked_sub(END_BYTES).and_then(|start| bytes.get(start..));
    match end {
        Some(end) if end.starts_with(END_SIGNATURE) => match end {
            [.., low, high, _, _, _, _, _, _, _, _, 0, 0] => {
                Ok(usize::from(u16::from_le_bytes([*low, *high])))
            }
            _ => Err(ProjectError::Ambiguous("it has a comment")),
        },
        _ => Err(ProjectError::Ambiguous("it does not end where its list of files ends")),
    }
}

/// Every entry's name, also of those that are passed over: one that leads out is not made by mistake.
fn check_name(name: &str) -> Result<(), ProjectError> {
    let inside = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']);
    let path = name.strip_suffix('/').unwrap_or(name);
    if !path.split('/').all(inside) {
        return Err(ProjectError::Escapes(name.to_owned()));
    }
    if path.split('/').count() > MAX_PROJECT_DEPTH {
        return Err(ProjectError::TooDeep(name.to_owned()));
    }
    Ok(())
}
