//! A function in a folder. Links are not followed, and what is passed over is not opened.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::gathered::Gathered;
use super::{MANIFEST, ProjectError};
use crate::limits::{MAX_MANIFEST_BYTES, MAX_PROJECT_DEPTH, MAX_PROJECT_ENTRIES};

/// The text of the manifest.
pub(super) fn manifest(folder: &Path) -> Result<String, ProjectError> {
    let path = folder.join(MANIFEST);
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => return Err(ProjectError::Symlink(MANIFEST.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ProjectError::NoManifest),
        Err(source) => return Err(unreadable(MANIFEST, source)),
    }
    let bytes = read(&path, MAX_MANIFEST_BYTES).map_err(|source| unreadable(MANIFEST, source))?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Err(ProjectError::ManifestSize);
    }
    String::from_utf8(bytes).map_err(|_| ProjectError::NotText(MANIFEST.to_owned()))
}

/// Gathers all below `folder`.
pub(super) fn gather(folder: &Path, gathered: &mut Gathered<'_>) -> Result<(), ProjectError> {
    let mut entries = 0;
    let mut waiting: Vec<(PathBuf, String, usize)> = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let listed = fs::read_dir(&folder).map_err(|source| unreadable(&prefix, source))?;
        for entry in listed {
            entries += 1;
            if entries > MAX_PROJECT_ENTRIES {
                return Err(ProjectError::TooManyEntries);
            }
            let entry = entry.map_err(|source| unreadable(&prefix, source))?;
            let name = entry.file_name();
            let path = format!("{prefix}{}", name.to_string_lossy());
            if gathered.passes_over(&path) {
                continue;
            }
            let kind = entry.file_type().map_err(|source| unreadable(&path, source))?;
            if kind.is_symlink() {
                return Err(ProjectError::Symlink(path));
            } else if kind.is_dir() {
                if depth + 1 >= MAX_PROJECT_DEPTH {
                    return Err(ProjectError::TooDeep(path));
                }
                waiting.push((entry.path(), format!("{path}/"), depth + 1));
            } else if !kind.is_file() {
                return Err(ProjectError::Special(path));
            } else if let Some(max_bytes) = gathered.wants(&path)? {
                let bytes = read(&entry.path(), max_bytes).map_err(|source| unreadable(&path, source))?;
                gathered.take(&path, bytes)?;
            }
        }
    }
    Ok(())
}

/// The bytes of a file; one more than `max_bytes` where it has more.
fn read(path: &Path, max_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &str, source: io::Error) -> ProjectError {
    ProjectError::Io { path: if path.is_empty() { ".".to_owned() } else { path.to_owned() }, source }
}
