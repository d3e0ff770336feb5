//! Opens the store that the settings name, and starts what serves it.

use std::io;
use std::sync::Arc;

use tokio::task::{JoinSet, spawn_blocking};

use super::Embedded;
use super::keep::Store;
use super::keeper::{Handle, Keeper};
use super::postgres::{Lease, LeaseTask, Postgres};
use crate::counters::Counters;
use crate::error::ParentError;
use crate::settings::{Settings, StoreSettings};

/// The embedded store's folder within the data folder.
pub(crate) const STORE_FOLDER: &str = "blobs";

/// A store that is served.
pub(crate) struct OpenStore {
    pub(crate) keeper: Keeper,
    pub(crate) handle: Handle,
    /// Where several parents may share it.
    pub(crate) lease: Option<Lease>,
    /// Keeps the lease.
    pub(crate) tenure: JoinSet<()>,
}

impl OpenStore {
    /// Opens it. Of one that several parents share, this parent may be on standby afterwards.
    pub(crate) async fn open(settings: &Settings, counters: Arc<Counters>) -> Result<Self, ParentError> {
        let mut tenure = JoinSet::new();
        let (store, lease): (Box<dyn Store>, _) = match &settings.store {
            StoreSettings::Embedded => {
                let path = settings.data.join(STORE_FOLDER);
                let at = path.clone();
                let opened = spawn_blocking(move || Embedded::open(&at)).await;
                let opened = opened.map_err(|panicked| ParentError::Thread(io::Error::other(panicked)))?;
                (Box::new(opened.map_err(|source| ParentError::Store { path, source })?), None)
            }
            StoreSettings::Postgres(postgres) => {
                let (task, lease) = LeaseTask::open(postgres, &settings.data, Arc::clone(&counters)).await?;
                let store = Postgres::new(task.connector(), lease.clone());
                tenure.spawn(task.run());
                (Box::new(store), Some(lease))
            }
        };
        let (keeper, handle) = Keeper::start(store, counters).map_err(ParentError::Thread)?;
        Ok(Self { keeper, handle, lease, tenure })
    }
}
