//! The journal before the engine: commits, in order, durable with one write and one `fdatasync`.
//!
//! The engine's own journal lies in a file with holes, so that each of its syncs also commits the file system's metadata.
//! This one is two files that are written over and over: once a file has its size, a sync is one write of data. While one
//! file is written, the other keeps what the engine may not have made durable yet.
//!
//! An entry, all integers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | number: one more than that of the entry before it, through both files |
//! | 4 | the body's length |
//! | 4 | CRC-32 of number, length and body |
//! | n | body: the commit, as the enclave's request encodes it |
//!
//! What lies in a file behind the last entry was there before, and has a lower number: it is never taken for what
//! follows. Knows nothing of the engine, or of which commit follows which.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use r3e_proto::host::blob::{Commit, Operation, Request};
use thiserror::Error;

use crate::limits::{JOURNAL_FILE_BYTES, JOURNAL_STEP_BYTES};

/// The files, in the engine's folder, which takes no notice of them.
const FILES: [&str; 2] = ["commits-0.log", "commits-1.log"];
const HEADER_BYTES: usize = 8 + 4 + 4;
/// The first entry's number. No entry begins with zeros.
const FIRST: u64 = 1;

/// Why a journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The disk.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An entry that is whole and is no commit: not written by this program.
    #[error("{}: an entry is not a commit", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// The two files. Opened empty: what they held is handed out by [`Journal::open`], and [`Journal::clear`]ed.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    files: [Option<Written>; 2],
    active: usize,
    /// Of the next entry.
    number: u64,
    /// Where the next entry goes in the active file.
    at: u64,
    /// Entries that are not written yet.
    waiting: Vec<u8>,
}

/// A file, and how far it has been written once.
#[derive(Debug)]
struct Written {
    file: File,
    bytes: u64,
}

impl Journal {
    /// Opens the journal in `folder`: also the commits that it holds, the oldest first. They must be durable elsewhere
    /// before it is cleared, and it must be cleared before it is used.
    pub(super) fn open(folder: &Path) -> Result<(Self, Vec<Commit>), JournalError> {
        let mut journal = Self {
            folder: folder.to_owned(),
            files: [None, None],
            active: 0,
            number: FIRST,
            at: 0,
            waiting: Vec::new(),
        };
        let mut found = Vec::new();
        for (path, bytes) in journal.read()? {
            found.extend(entries(&path, &bytes)?);
        }
        let mut commits = Vec::new();
        for (number, commit) in found {
            // A file that was begun anew, over entries that the engine has: what is left of them is not their end.
            if number != journal.number {
                commits.clear();
            }
            journal.number = number + 1;
            commits.push(commit);
        }
        Ok((journal, commits))
    }

    /// Drops what the files hold, the oldest first, so that a crash leaves the end of the history and never a gap.
    pub(super) fn clear(&mut self) -> Result<(), JournalError> {
        for (path, _) in self.read()? {
            let removed = fs::remove_file(&path).and_then(|()| File::open(&self.folder)?.sync_all());
            removed.map_err(|source| JournalError::File { path, source })?;
        }
        (self.files, self.active, self.number, self.at) = ([None, None], 0, FIRST, 0);
        self.waiting.clear();
        Ok(())
    }

    /// The files that are there, the older one first.
    fn read(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, JournalError> {
        let mut files = Vec::new();
        for name in FILES {
            let path = self.folder.join(name);
            match fs::read(&path) {
                Ok(bytes) => files.push((path, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(JournalError::File { path, source }),
            }
        }
        files.sort_by_key(|(_, bytes)| bytes.first_chunk().map(|number| u64::from_be_bytes(*number)));
        Ok(files)
    }

    /// Adds a commit to what the next [`Self::sync`] makes durable.
    pub(super) fn append(&mut self, commit: &Commit) {
        let start = self.waiting.len();
        self.waiting.extend_from_slice(&[0; HEADER_BYTES]);
        Request::encode_commit(0, commit, &mut self.waiting);
        let body = self.waiting.get(start + HEADER_BYTES..).unwrap_or_default();
        // A commit that came in one frame has a length of 32 bits.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let header = header(self.number, length, checksum(self.number, length, body));
        self.number += 1;
        if let Some(place) = self.waiting.get_mut(start..start + HEADER_BYTES) {
            place.copy_from_slice(&header);
        }
    }

    /// Makes durable what was added. After an error nothing is known of it, nor of what the files hold from here on.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let path = || FILES.get(self.active).map_or_else(PathBuf::new, |name| self.folder.join(name));
        let failed = |source| JournalError::File { path: path(), source };
        let Some(place) = self.files.get_mut(self.active) else { return Ok(()) };
        let is_new = place.is_none();
        let written = match place {
            Some(written) => written,
            None => place.insert(Written { file: create(&path()).map_err(failed)?, bytes: 0 }),
        };
        let end = self.at + self.waiting.len() as u64;
        written.file.write_all_at(&self.waiting, self.at).map_err(failed)?;
        if end > written.bytes {
            // Zeros for what follows: from the next sync on, nothing but data changes.
            let size = end.next_multiple_of(JOURNAL_STEP_BYTES);
            let zeros = vec![0; usize::try_from(size - end).unwrap_or_default()];
            written.file.write_all_at(&zeros, end).map_err(failed)?;
            written.bytes = size;
        }
        written.file.sync_data().map_err(failed)?;
        if is_new {
            File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        self.at = end;
        self.waiting.clear();
        Ok(())
    }

    /// What the files take.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().flatten().map(|written| written.bytes).sum()
    }

    /// Whether it is time to make all that was synced durable elsewhere, and to [`Self::turn`].
    pub(super) fn is_full(&self) -> bool {
        self.at >= JOURNAL_FILE_BYTES
    }

    /// Begins the other file anew, over what it holds. The caller made that durable elsewhere.
    pub(super) fn turn(&mut self) {
        (self.active, self.at) = (1 - self.active, 0);
    }
}

fn create(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(true).write(true).open(path)
}

fn checksum(number: u64, length: u32, body: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.update(&length.to_be_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn header(number: u64, length: u32, checksum: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&number.to_be_bytes());
    header[8..12].copy_from_slice(&length.to_be_bytes());
    header[12..].copy_from_slice(&checksum.to_be_bytes());
    header
}

/// The commits of a file, with their numbers.
fn entries(path: &Path, bytes: &[u8]) -> Result<Vec<(u64, Commit)>, JournalError> {
    let (mut rest, mut last, mut commits) = (bytes, None, Vec::new());
    while let Some((number, body, after)) = entry(rest) {
        if number < FIRST || last.is_some_and(|last| number != last + 1) {
            break;
        }
        let Ok(Request { operation: Operation::Commit(commit), .. }) = Request::decode(body) else {
            return Err(JournalError::Foreign { path: path.to_owned() });
        };
        commits.push((number, commit));
        (rest, last) = (after, Some(number));
    }
    Ok(commits)
}

/// The number and the body of the entry at the front, and what follows it. None if it is not whole.
fn entry(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (number, length) = (u64::from_be_bytes(*number), u32::from_be_bytes(*length));
    let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    (checksum(number, length, body) == u32::from_be_bytes(*sum)).then_some((number, body, rest))
}

#[cfg(test)]
mod tests;
