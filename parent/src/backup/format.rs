//! The file that a backup is: one head, one slot, records by rising name, a count, and a SHA-256 over all before it.
//!
//! | part | bytes |
//! |---|---|
//! | magic and version | `r3e-backup 1\n` |
//! | when it was made, in seconds since 1970 | 8 |
//! | entries: kind, length of the body, body | 1, 4, and the body |
//! | SHA-256 of everything before it | 32 |
//!
//! Numbers are big-endian. The kinds are 1 (head, at most once), 2 (slot, at most once), 3 (record: its name of 32 bytes
//! and its bytes, any number, by rising name) and 0 (end, once: how many records there were, in 8 bytes); they come in
//! this order: 1, 2, 3, 0. A file that differs in any way is refused; nothing follows the SHA-256.
//!
//! It guards against damage. Whoever can change the file can also make the SHA-256 fit: what the records are worth is
//! the enclave's to judge.

use std::io::{self, Read};

use r3e_proto::host::blob::BlobName;
use r3e_proto::limits::{BLOB_NAME_BYTES, MAX_BLOB_BYTES, MAX_HEAD_BYTES, MAX_SLOT_BYTES};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How a file of this version begins.
const MAGIC: &[u8; 13] = b"r3e-backup 1\n";

const END: u8 = 0;
const HEAD: u8 = 1;
const SLOT: u8 = 2;
const RECORD: u8 = 3;

/// One part of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The head.
    Head(Vec<u8>),
    /// The slot's value.
    Slot(Vec<u8>),
    /// A record and its name.
    Record(BlobName, Vec<u8>),
}

/// Why a file is no backup, or none that can be relied on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Io(#[source] io::Error),
    /// It ends too early.
    #[error("it ends too early: it was cut off, or never written to its end")]
    CutOff,
    /// Another kind of file, or one of another version.
    #[error("it is no backup that this version reads")]
    Magic,
    /// An entry of a kind that is not known, or at a place where it may not be.
    #[error("an entry of kind {kind} stands where none may")]
    Order {
        /// As the file says it.
        kind: u8,
    },
    /// An entry that is too long, or too short for its kind.
    #[error("an entry of kind {kind} has {bytes} bytes, and may have {min} to {max}")]
    Length {
        /// As the file says it.
        kind: u8,
        /// As the file says it.
        bytes: usize,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// Records that are not in the order of their names, or one that is there twice.
    #[error("the records are not in their order")]
    Names,
    /// Records without a head.
    #[error("it has records and no head")]
    NoHead,
    /// Another number of records than the file says.
    #[error("it has {found} records and says that there are {said}")]
    Count {
        /// How many there are.
        found: u64,
        /// How many it says.
        said: u64,
    },
    /// Changed since it was written.
    #[error("its SHA-256 does not fit: it was damaged, or changed")]
    Checksum,
    /// Something follows the end.
    #[error("something follows its end")]
    Trailing,
}

/// Writes the file's bytes, part by part.
#[derive(Debug)]
pub struct Encoder {
    hash: Sha256,
    records: u64,
}

impl Encoder {
    /// And the file's first bytes.
    pub fn begin(made_unix_seconds: u64) -> (Self, Vec<u8>) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(made_unix_seconds.to_be_bytes());
        let mut hash = Sha256::new();
        hash.update(&bytes);
        (Self { hash, records: 0 }, bytes)
    }

    /// The bytes of the next entry. The order of entries is the caller's.
    pub fn entry(&mut self, entry: &Entry) -> Vec<u8> {
        let (kind, parts): (u8, [&[u8]; 2]) = match entry {
            Entry::Head(head) => (HEAD, [head, &[]]),
            Entry::Slot(value) => (SLOT, [value, &[]]),
            Entry::Record(name, record) => {
                self.records += 1;
                (RECORD, [name, record])
            }
        };
        let bytes = framed(kind, &parts);
        self.hash.update(&bytes);
        bytes
    }

    /// The last bytes.
    pub fn end(mut self) -> Vec<u8> {
        let mut bytes = framed(END, &[&self.records.to_be_bytes(), &[]]);
        self.hash.update(&bytes);
        bytes.extend(self.hash.finalize());
        bytes
    }
}

fn framed(kind: u8, parts: &[&[u8]; 2]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(5 + length);
    bytes.push(kind);
    // What the wire carries has limits far below this.
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

/// Reads a file to its end, and holds one entry at a time.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    hash: Sha256,
    made_unix_seconds: u64,
    records: u64,
    /// The kind of the entry before.
    last_kind: Option<u8>,
    last_name: Option<BlobName>,
    has_head: bool,
    checksum: Option<[u8; 32]>,
}

impl<R: Read> Reader<R> {
    /// Reads the first bytes.
    ///
    /// # Errors
    /// [`FormatError`]: it is none of ours, or cannot be read.
    pub fn begin(from: R) -> Result<Self, FormatError> {
        let mut reader = Self {
            from,
            hash: Sha256::new(),
            made_unix_seconds: 0,
            records: 0,
            last_kind: None,
            last_name: None,
            has_head: false,
            checksum: None,
        };
        if &reader.array::<{ MAGIC.len() }>()? != MAGIC {
            return Err(FormatError::Magic);
        }
        reader.made_unix_seconds = u64::from_be_bytes(reader.array()?);
        Ok(reader)
    }

    /// When the backup was made, by the clock of the machine that made it.
    pub fn made_unix_seconds(&self) -> u64 {
        self.made_unix_seconds
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The SHA-256 that the file ends with, once it was read to its end.
    pub fn checksum(&self) -> Option<[u8; 32]> {
        self.checksum
    }

    /// The next entry; none at the end, when all of the file has been found well. What was read before that is not yet
    /// known to be undamaged.
    ///
    /// # Errors
    /// [`FormatError`]: what is wrong with the file.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, FormatError> {
        if self.checksum.is_some() {
            return Ok(None);
        }
        let [kind] = self.array()?;
        let bytes = usize::try_from(u32::from_be_bytes(self.array()?)).unwrap_or(usize::MAX);
        self.check_order(kind)?;
        let (min, max) = match kind {
            HEAD => (0, MAX_HEAD_BYTES),
            SLOT => (0, MAX_SLOT_BYTES),
            RECORD => (BLOB_NAME_BYTES, BLOB_NAME_BYTES + MAX_BLOB_BYTES),
            _ => (8, 8),
        };
        if !(min..=max).contains(&bytes) {
            return Err(FormatError::Length { kind, bytes, min, max });
        }
        match kind {
            HEAD => {
                self.has_head = true;
                Ok(Some(Entry::Head(self.bytes(bytes)?)))
            }
            SLOT => Ok(Some(Entry::Slot(self.bytes(bytes)?))),
            RECORD => self.record(bytes - BLOB_NAME_BYTES).map(Some),
            _ => self.end().map(|()| None),
        }
    }

    fn check_order(&mut self, kind: u8) -> Result<(), FormatError> {
        let may_stand = match (self.last_kind, kind) {
            (_, RECORD) if !self.has_head => return Err(FormatError::NoHead),
            (None, HEAD) | (None | Some(HEAD), SLOT) | (_, END | RECORD) => true,
            _ => false,
        };
        self.last_kind = Some(kind);
        if may_stand { Ok(()) } else { Err(FormatError::Order { kind }) }
    }

    fn record(&mut self, bytes: usize) -> Result<Entry, FormatError> {
        let name = self.array()?;
        if self.last_name.is_some_and(|last| last >= name) {
            return Err(FormatError::Names);
        }
        self.last_name = Some(name);
        let record = self.bytes(bytes)?;
        self.records += 1;
        Ok(Entry::Record(name, record))
    }

    fn end(&mut self) -> Result<(), FormatError> {
        let said = u64::from_be_bytes(self.array()?);
        if said != self.records {
            return Err(FormatError::Count { found: self.records, said });
        }
        let computed: [u8; 32] = self.hash.clone().finalize().into();
        let written: [u8; 32] = self.array()?;
        if computed != written {
            return Err(FormatError::Checksum);
        }
        let mut more = [0];
        match self.from.read(&mut more) {
            Ok(0) => {}
            Ok(_) => return Err(FormatError::Trailing),
            Err(error) => return Err(FormatError::Io(error)),
        }
        self.checksum = Some(written);
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        self.fill(&mut array)?;
        Ok(array)
    }

    /// So many bytes, which the caller has found to be within a limit.
    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, FormatError> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, to: &mut [u8]) -> Result<(), FormatError> {
        self.from.read_exact(to).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => FormatError::CutOff,
            _ => FormatError::Io(error),
        })?;
        self.hash.update(to);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
