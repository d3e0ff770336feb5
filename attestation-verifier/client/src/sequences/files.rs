//! Sequence numbers in a folder, one small file an appliance: a memory that outlives the process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{ApplianceKey, SequenceError, SequenceMemory};
use crate::limits::MAX_SEQUENCE_FILE_BYTES;

/// Files named by the report key in hex, each with one decimal number. Processes that share the folder take turns by a
/// lock on the file `lock`; a file is replaced whole, so that a crash leaves the old number or the new one.
#[derive(Debug, Clone)]
pub struct SequenceFiles {
    folder: PathBuf,
}

impl SequenceFiles {
    /// The memory in `folder`, which is made when there is something to keep.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn file(&self, appliance: &ApplianceKey) -> PathBuf {
        self.folder.join(hex::encode(appliance))
    }

    /// The lock of the folder, held while the file is open.
    fn lock(&self) -> Result<File, SequenceError> {
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        let path = self.folder.join("lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(file)
    }
}

impl SequenceMemory for SequenceFiles {
    fn highest(&self, appliance: &ApplianceKey) -> Result<Option<u64>, SequenceError> {
        read(&self.file(appliance))
    }

    fn raise(&self, appliance: &ApplianceKey, sequence: u64) -> Result<(), SequenceError> {
        let path = self.file(appliance);
        let _lock = self.lock()?;
        if read(&path)?.is_some_and(|highest| highest >= sequence) {
            return Ok(());
        }
        let new = path.with_extension("new");
        let written = File::create(&new).and_then(|mut file| {
            writeln!(file, "{sequence}")?;
            file.sync_all()
        });
        written.map_err(at(&new))?;
        fs::rename(&new, &path).map_err(at(&path))?;
        // The rename is durable once the folder is: a crash must not bring a lower number back.
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder))
    }

    fn forget(&self, appliance: &ApplianceKey) -> Result<(), SequenceError> {
        let path = self.file(appliance);
        let _lock = self.lock()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Option<u64>, SequenceError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let mut text = String::new();
    file.take(MAX_SEQUENCE_FILE_BYTES).read_to_string(&mut text).map_err(at(path))?;
    let digits = text.strip_suffix('\n').unwrap_or(&text);
    match digits.parse() {
        Ok(sequence) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(sequence)),
        _ => Err(SequenceError::Damaged { path: path.to_owned() }),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SequenceError {
    let path = path.to_owned();
    move |source| SequenceError::Io { path, source }
}
