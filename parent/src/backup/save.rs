//! Writes a backup: from a store that nobody has open, from the parent that has it, or from a database at any time.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use r3e_proto::limits::MAX_HOST_FRAME_BYTES;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::{BackupError, Encoder, Entry, FormatError, Place, Progress, Reader, Summary};
use crate::admin;
use crate::blobs::postgres::{Connector, Moment};
use crate::blobs::{Embedded, STORE_FOLDER, Snapshot, Store, StoreError, in_words};
use crate::error::ParentError;
use crate::limits::BLOB_ANSWER_TIMEOUT_MS;
use crate::parent;
use crate::settings::StoreSettings;

/// Writes everything that the store of `place` keeps into the new file `out`, and reads it back. `progress` is told now
/// and then. What was begun and not finished is removed.
///
/// # Errors
/// [`BackupError`]: there is no file then, or it was there before.
pub async fn save(
    place: &Place,
    out: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, BackupError> {
    let unusable = |source| BackupError::File { path: out.into(), source };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out).map_err(unusable)?;
    let saved = save_into(place, file, out, progress).await;
    if saved.is_err() {
        // It is no backup; that it may also stay is said by its reader, who refuses it.
        let _ = std::fs::remove_file(out);
    }
    saved
}

async fn save_into(
    place: &Place,
    file: File,
    out: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Summary, BackupError> {
    let unusable = |source| BackupError::File { path: out.into(), source };
    let mut writer = tokio::io::BufWriter::new(tokio::fs::File::from_std(file));
    match (&place.store, &place.data) {
        (StoreSettings::Postgres(settings), _) => {
            let connector = Connector::new(settings, "backup")?;
            let mut moment = Moment::begin(&connector).await?;
            write_backup(&mut moment, &mut writer, progress).await.map_err(|end| end.of(out))?;
        }
        (StoreSettings::Embedded, None) => return Err(BackupError::NoPlace),
        (StoreSettings::Embedded, Some(data)) => match parent::claim(data) {
            Ok(_lock) => {
                let path = data.join(STORE_FOLDER);
                let opened = Embedded::open(&path).map_err(|source| ParentError::Store { path, source })?;
                let mut store: Box<dyn Store> = Box::new(opened);
                let mut moment = store.snapshot().await.map_err(|error| BackupEnd::Store(error).of(out))?;
                write_backup(&mut *moment, &mut writer, progress).await.map_err(|end| end.of(out))?;
            }
            // A parent runs, and gives its records itself.
            Err(ParentError::Held { .. }) => admin::fetch_backup(data, &mut writer, progress).await?,
            Err(error) => return Err(error.into()),
        },
    }
    writer.flush().await.map_err(unusable)?;
    writer.get_ref().sync_all().await.map_err(unusable)?;
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable)?;
    }
    summary(out)
}

/// Reads a backup to its end.
pub(super) fn summary(path: &Path) -> Result<Summary, BackupError> {
    let unusable = |source| BackupError::File { path: path.into(), source };
    let refused = |source| BackupError::Format { path: path.into(), source };
    let file = File::open(path).map_err(unusable)?;
    let bytes = file.metadata().map_err(unusable)?.len();
    let mut reader = Reader::begin(buffered(file)).map_err(refused)?;
    let (mut head, mut has_slot) = (None, false);
    while let Some(entry) = reader.next_entry().map_err(refused)? {
        match entry {
            Entry::Head(bytes) => head = Some(Sha256::digest(bytes).into()),
            Entry::Slot(_) => has_slot = true,
            Entry::Record(..) => {}
        }
    }
    let checksum = reader.checksum().ok_or(FormatError::CutOff).map_err(refused)?;
    let (made_unix_seconds, records) = (reader.made_unix_seconds(), reader.records());
    Ok(Summary { made_unix_seconds, records, bytes, head, has_slot, checksum })
}

/// A file that is read in large pieces.
pub(super) fn buffered(file: File) -> BufReader<impl Read> {
    BufReader::with_capacity(256 * 1024, file)
}

/// Why a backup was not written to its end.
#[derive(Debug)]
pub(crate) enum BackupEnd {
    /// The store failed.
    Store(StoreError),
    /// Nobody takes it.
    Writer(io::Error),
}

impl BackupEnd {
    /// For the file at `out`.
    fn of(self, out: &Path) -> BackupError {
        match self {
            Self::Store(error) => BackupError::Store(in_words(&error)),
            Self::Writer(source) => BackupError::File { path: out.into(), source },
        }
    }
}

impl From<StoreError> for BackupEnd {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes `snapshot` as a backup. Never holds more than a page of it.
pub(crate) async fn write_backup<W: AsyncWrite + Unpin>(
    snapshot: &mut dyn Snapshot,
    writer: &mut W,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), BackupEnd> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (mut encoder, begin) = Encoder::begin(now);
    let mut done = Progress::default();
    put(writer, &begin, &mut done).await?;
    if let Some(head) = snapshot.head().await? {
        put(writer, &encoder.entry(&Entry::Head(head)), &mut done).await?;
    }
    if let Some(value) = snapshot.slot().await? {
        put(writer, &encoder.entry(&Entry::Slot(value)), &mut done).await?;
    }
    let mut after = None;
    loop {
        let page = snapshot.page(after).await?;
        after = page.records.last().map(|(name, _)| *name).or(after);
        for (name, record) in page.records {
            put(writer, &encoder.entry(&Entry::Record(name, record)), &mut done).await?;
            done.records += 1;
        }
        progress(done);
        if !page.more {
            break;
        }
    }
    put(writer, &encoder.end(), &mut done).await?;
    writer.flush().await.map_err(BackupEnd::Writer)
}

/// A reader that takes nothing for long is given up.
async fn put<W: AsyncWrite + Unpin>(
    writer: &mut W,
    bytes: &[u8],
    done: &mut Progress,
) -> Result<(), BackupEnd> {
    debug_assert!(bytes.len() <= MAX_HOST_FRAME_BYTES);
    done.bytes += bytes.len() as u64;
    timeout(Duration::from_millis(BLOB_ANSWER_TIMEOUT_MS), writer.write_all(bytes))
        .await
        .map_err(|_| BackupEnd::Writer(io::ErrorKind::TimedOut.into()))?
        .map_err(BackupEnd::Writer)
}
