//! The files of `r3e release`: signed releases, and the reference values that PCRs come from.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use r3e_attestation::ReferenceValues;
use r3e_proto::limits::MAX_MANIFEST_BYTES;
use r3e_proto::release::{ImagePcrs, ReleaseError, SignedRelease};

use crate::error::CliError;
use crate::session::releases;

fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let what = path.display().to_string();
    |source| CliError::Io { what, source }
}

/// A signed release. None of its signatures is verified.
pub(super) fn read(path: &Path) -> Result<SignedRelease, CliError> {
    let mut bytes = Vec::new();
    // One byte more than the limit, so that the decoder sees that it is too long.
    File::open(path)
        .and_then(|file| file.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(unusable(path))?;
    Ok(SignedRelease::decode(&bytes).map_err(ReleaseError::from)?)
}

/// Writes a new file; one that is there is left as it is.
pub(super) fn write_new(path: &Path, signed: &SignedRelease) -> Result<(), CliError> {
    match File::create_new(path).and_then(|mut file| {
        file.write_all(&signed.encode())?;
        file.sync_all()
    }) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(CliError::Usage(format!(
            "{} exists, and may hold signatures: choose another file, or move that one away",
            path.display()
        ))),
        written => written.map_err(unusable(path)),
    }
}

/// Puts a release in the place of the file, whole or not at all.
pub(super) fn replace(path: &Path, signed: &SignedRelease) -> Result<(), CliError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(&signed.encode())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    written.map_err(unusable(path))
}

/// The one image of a file of reference values, with its name.
pub(super) fn image(path: &Path) -> Result<(String, ImagePcrs), CliError> {
    match images(path)?.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(CliError::Usage(format!(
            "{} names {} images, and this takes the one that is meant: write its reference values alone \
             (r3e-eif reference-values)",
            path.display(),
            several.len()
        ))),
    }
}

/// Every image of a file of reference values, with its name.
pub(super) fn images(path: &Path) -> Result<Vec<(String, ImagePcrs)>, CliError> {
    releases(path)?.iter().map(named).collect()
}

fn named(values: &ReferenceValues) -> Result<(String, ImagePcrs), CliError> {
    let pcr = |index| {
        let missing = || CliError::Usage(format!("{} has no PCR{index}", values.name()));
        values.pcrs().get(&index).copied().ok_or_else(missing)
    };
    Ok((values.name().to_owned(), [pcr(0)?, pcr(1)?, pcr(2)?]))
}
