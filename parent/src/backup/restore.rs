//! Puts a backup back, whole or not at all. The file is read to its end before anything is touched.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use r3e_proto::host::blob::BlobName;
use r3e_proto::limits::{MAX_COMMIT_RECORDS, MAX_LIST_BYTES};

use super::save::{buffered, summary};
use super::{BackupError, Entry, Place, Progress, Reader, Summary};
use crate::blobs::postgres::{PostgresSettings, Restoring};
use crate::blobs::{Embedded, STORE_FOLDER, in_words};
use crate::error::ParentError;
use crate::parent;
use crate::settings::StoreSettings;

/// Where the embedded store is built before it takes its place.
const RESTORING_FOLDER: &str = "blobs.restoring";

/// Makes the store of `place` what the backup `file` is. A store that holds anything is replaced only if `replace` says
/// so; an embedded one is then kept beside it, and its folder returned.
///
/// # Errors
/// [`BackupError`]: the store is as it was.
pub async fn restore(
    place: &Place,
    file: &Path,
    replace: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Summary, Option<PathBuf>), BackupError> {
    let found = summary(file)?;
    let source = Source::open(file)?;
    let kept = match (&place.store, &place.data) {
        (StoreSettings::Postgres(settings), _) => {
            into_postgres(settings, source, replace, progress).await?;
            None
        }
        (StoreSettings::Embedded, Some(data)) => into_embedded(data, source, replace, progress)?,
        (StoreSettings::Embedded, None) => return Err(BackupError::NoPlace),
    };
    Ok((found, kept))
}

/// What comes from the file, a batch at a time.
struct Source<'a> {
    path: &'a Path,
    reader: Reader<Box<dyn Read + Send>>,
    head: Option<Vec<u8>>,
    slot: Option<Vec<u8>>,
    done: Progress,
}

impl<'a> Source<'a> {
    fn open(path: &'a Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|source| BackupError::File { path: path.into(), source })?;
        let from: Box<dyn Read + Send> = Box::new(buffered(file));
        let reader =
            Reader::begin(from).map_err(|source| BackupError::Format { path: path.into(), source })?;
        Ok(Self { path, reader, head: None, slot: None, done: Progress::default() })
    }

    /// The next records; none at the end, when all of the file was found well once more.
    fn batch(&mut self) -> Result<Vec<(BlobName, Vec<u8>)>, BackupError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < MAX_COMMIT_RECORDS && bytes < MAX_LIST_BYTES {
            let next = self.reader.next_entry();
            match next.map_err(|source| BackupError::Format { path: self.path.into(), source })? {
                Some(Entry::Head(head)) => self.head = Some(head),
                Some(Entry::Slot(value)) => self.slot = Some(value),
                Some(Entry::Record(name, record)) => {
                    bytes += record.len();
                    batch.push((name, record));
                }
                None => break,
            }
        }
        self.done.records += batch.len() as u64;
        self.done.bytes += bytes as u64;
        Ok(batch)
    }
}

fn into_embedded(
    data: &Path,
    mut source: Source<'_>,
    replace: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Option<PathBuf>, BackupError> {
    let _lock = parent::claim(data)?;
    let (standing, new) = (data.join(STORE_FOLDER), data.join(RESTORING_FOLDER));
    let holds_something = standing.exists() && !is_empty(&standing)?;
    if holds_something && !replace {
        return Err(BackupError::NotEmpty);
    }
    let unusable = |path: &Path, source| BackupError::File { path: path.into(), source };
    if new.exists() {
        return Err(BackupError::Leftover { path: new });
    }
    let failed = |error: crate::blobs::StoreError| BackupError::Store(in_words(&error));
    let mut store = open(&new)?;
    loop {
        let batch = source.batch()?;
        if batch.is_empty() {
            break;
        }
        store.fill(batch).map_err(failed)?;
        progress(source.done);
    }
    store.complete(source.head, source.slot).map_err(failed)?;
    drop(store);

    let mut kept = None;
    if standing.exists() {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let aside = data.join(format!("{STORE_FOLDER}.replaced-{seconds}"));
        // First the name that the one before will have, then the exchange: at every moment there is a whole store under the
        // store's name, and the one before is under that or under the name of what is kept, never under one that is for a
        // store half built.
        rename_new(&new, &aside).map_err(|error| unusable(&aside, error))?;
        sync(data).map_err(|error| unusable(data, error))?;
        renameat2(AT_FDCWD, &aside, AT_FDCWD, &standing, RenameFlags::RENAME_EXCHANGE)
            .map_err(|error| unusable(&standing, error.into()))?;
        kept = holds_something.then_some(aside);
    } else {
        rename_new(&new, &standing).map_err(|error| unusable(&standing, error))?;
    }
    sync(data).map_err(|error| unusable(data, error))?;
    Ok(kept)
}

/// Renames where nothing stands under the new name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    Ok(renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE)?)
}

/// Makes a folder's names durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn open(path: &Path) -> Result<Embedded, BackupError> {
    Ok(Embedded::open(path).map_err(|source| ParentError::Store { path: path.into(), source })?)
}

fn is_empty(path: &Path) -> Result<bool, BackupError> {
    let mut store = open(path)?;
    let failed = |error: crate::blobs::StoreError| BackupError::Store(in_words(&error));
    let records = store.list(None).map_err(failed)?.records;
    Ok(store.head().map_err(failed)?.is_none()
        && store.slot().map_err(failed)?.is_none()
        && records.is_empty())
}

async fn into_postgres(
    settings: &PostgresSettings,
    mut source: Source<'_>,
    replace: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), BackupError> {
    let restoring = Restoring::begin(settings).await?;
    if let Some(holder) = restoring.holder() {
        return Err(BackupError::Served { holder: holder.to_owned() });
    }
    if !restoring.is_empty() && !replace {
        return Err(BackupError::NotEmpty);
    }
    restoring.clear().await?;
    loop {
        let batch = source.batch()?;
        if batch.is_empty() {
            break;
        }
        restoring.fill(&batch).await?;
        progress(source.done);
    }
    restoring.complete(source.head.as_deref(), source.slot.as_deref()).await?;
    Ok(())
}
