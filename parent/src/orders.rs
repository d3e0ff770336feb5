//! The order to restore that this parent holds for its enclave, in its data folder. Who signed it, and whether it holds, is for
//! the enclave to say; it can be followed once, so it may lie here until another replaces it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use r3e_proto::limits::MAX_RESTORE_ORDER_BYTES;
use r3e_proto::restore::SignedRestoreOrder;
use thiserror::Error;

/// Its name in the data folder.
const ORDER_FILE: &str = "restore-order";

/// Where the order is, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Orders(PathBuf);

/// Why an order was not taken, or is not handed out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OrderFileError {
    /// The file system.
    #[error("{path:?} cannot be used: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No order.
    #[error("{path:?} is no signed order to restore (`r3e operator restore-order`): {source}")]
    Order {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: r3e_proto::WireError,
    },
}

impl Orders {
    /// Of the parent with this data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self(data.join(ORDER_FILE))
    }

    /// The order, if there is one.
    ///
    /// # Errors
    /// [`OrderFileError`]: it cannot be read, or is none.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, OrderFileError> {
        match read(&self.0) {
            Err(OrderFileError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

/// Takes the order in `file` for the enclave's next boot, over one that was there.
///
/// # Errors
/// [`OrderFileError`]: nothing was taken.
pub fn take(data: &Path, file: &Path) -> Result<SignedRestoreOrder, OrderFileError> {
    let bytes = read(file)?;
    let order = SignedRestoreOrder::decode(&bytes)
        .map_err(|source| OrderFileError::Order { path: file.to_owned(), source })?;
    let Orders(place) = Orders::of(data);
    let partial = place.with_extension("new");
    let at = |source| OrderFileError::File { path: place.clone(), source };
    let write = || {
        let mut written = File::create(&partial)?;
        written.write_all(&bytes)?;
        written.sync_all()?;
        std::fs::rename(&partial, &place)?;
        File::open(data)?.sync_all()
    };
    write().map_err(at)?;
    Ok(order)
}

fn read(path: &Path) -> Result<Vec<u8>, OrderFileError> {
    let at = |source| OrderFileError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = MAX_RESTORE_ORDER_BYTES as u64;
    File::open(path).map_err(at)?.take(most + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() > MAX_RESTORE_ORDER_BYTES {
        return Err(at(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use r3e_proto::restore::RestoreOrder;

    use super::*;

    fn signed(sequence: u64) -> Vec<u8> {
        let order = RestoreOrder { identity: [1; 32], sequence, head: [2; 32], over: 99 };
        SignedRestoreOrder::unsigned(&order).encode()
    }

    #[test]
    fn an_order_is_kept_until_another_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders::of(folder.path());
        assert!(orders.read().unwrap().is_none());
        let file = folder.path().join("given");
        for sequence in [4, 5] {
            std::fs::write(&file, signed(sequence)).unwrap();
            assert_eq!(take(folder.path(), &file).unwrap().read_unverified().unwrap().sequence, sequence);
            assert_eq!(orders.read().unwrap(), Some(signed(sequence)));
        }
    }

    #[test]
    fn what_is_no_order_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("given");
        std::fs::write(&file, signed(4)).unwrap();
        take(folder.path(), &file).unwrap();
        for wrong in [vec![], b"order".to_vec(), [signed(5), vec![0]].concat(), vec![0x80; 4096]] {
            std::fs::write(&file, wrong).unwrap();
            assert!(take(folder.path(), &file).is_err());
            assert_eq!(Orders::of(folder.path()).read().unwrap(), Some(signed(4)), "the one before stands");
        }
        assert!(take(folder.path(), &folder.path().join("none")).is_err());
    }
}
