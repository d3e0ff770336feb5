//! Files: read up to a limit, written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use r3e_eif_format::limits::MAX_IMAGE_BYTES;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The bytes of an image's file.
pub(crate) fn read_image(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read(path, MAX_IMAGE_BYTES, &mut bytes)?;
    Ok(bytes)
}

/// A file that may hold a secret. One byte more than `max_bytes` is read at most; the excess makes the content too long
/// for whatever decodes it, which then says so.
pub(crate) fn read_limited(path: &Path, max_bytes: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    // With room from the start, the content is not copied about.
    let mut bytes = Zeroizing::new(Vec::with_capacity(max_bytes + 1));
    read(path, max_bytes, &mut bytes)?;
    Ok(bytes)
}

fn read(path: &Path, max_bytes: usize, into: &mut Vec<u8>) -> anyhow::Result<()> {
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let done = File::open(path).and_then(|file| file.take(limit).read_to_end(into));
    done.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(())
}

/// Writes a file: under another name beside it first, which then takes its place. Whoever reads `path` sees the old
/// file or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    let temporary = beside(path).with_context(unwritable)?;
    let done = write_and_sync(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if done.is_err() {
        // It may not be there; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    done.with_context(unwritable)
}

/// A name in the same folder, so that renaming does not copy.
fn beside(path: &Path) -> anyhow::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name().context("it names no file")?);
    name.push(format!(".{}.partial", std::process::id()));
    Ok(path.with_file_name(name))
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// SHA-256 in hexadecimal, as `sha256sum` prints it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
