//! The sealed store in this process, over `r3e-parent` in another.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::unistd::Pid;
use r3e_keys::RootSecret;
use r3e_parent::{Parent, PostgresAddress, PostgresSettings, Settings};
use r3e_proto::host::BLOB_PORT;
use r3e_store::{Namespace, Options, ParentBlobs, Store, StoreError, StoreKeys, Write};
use r3e_transport::{EnclaveTransport, Endpoint};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::targets::{Target, worked_by};
use crate::{RECORD_BYTES, key};

/// The store, and the process of its parent.
pub(crate) struct Sealed {
    pub(crate) runtime: Runtime,
    pub(crate) store: Store,
    pub(crate) space: Namespace,
    parent: Child,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

impl Sealed {
    /// Starts a parent on `folder`, and opens the store.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let parent = Command::new(std::env::current_exe()?).arg("parent").arg(folder).spawn()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let store = runtime.block_on(opened(folder))?;
        Ok(Self { runtime, store, space: Namespace::of_appliance("bench")?, parent })
    }

    /// Ends both, and starts both again: how long the store's opening took, the parent being up.
    pub(crate) fn restart(self, folder: &Path) -> anyhow::Result<(Self, Duration)> {
        drop(self);
        let mut again = Self::start(folder)?;
        let parent = again.runtime.block_on(async {
            let begun = Instant::now();
            let store = open(folder).await?;
            Ok::<_, StoreError>((store, begun.elapsed()))
        });
        let (store, took) = parent?;
        again.store = store;
        Ok((again, took))
    }

    /// Does `one` from as many tasks; how often.
    fn from_tasks<F, T>(&self, tasks: usize, turn: Duration, one: F) -> anyhow::Result<usize>
    where
        F: Fn(Store, Namespace, String) -> T + Copy + Send + Sync + 'static,
        T: Future<Output = anyhow::Result<()>> + Send,
    {
        let begun = Instant::now();
        self.runtime.block_on(async {
            let running: Vec<_> = (0..tasks)
                .map(|task| {
                    let (store, space) = (self.store.clone(), self.space.clone());
                    tokio::spawn(async move {
                        let mut done = 0;
                        while begun.elapsed() < turn {
                            one(store.clone(), space.clone(), key(task * 157 + done * 7)).await?;
                            done += 1;
                        }
                        Ok::<_, anyhow::Error>(done)
                    })
                })
                .collect();
            let mut done = 0;
            for task in running {
                done += task.await??;
            }
            Ok(done)
        })
    }
}

impl Target for Sealed {
    fn name(&self) -> &'static str {
        "sealed store"
    }

    fn puts(&self, writers: usize, turn: Duration) -> anyhow::Result<usize> {
        self.from_tasks(writers, turn, |store, space, key| async move {
            store.put(&space, &key, vec![8; RECORD_BYTES]).await?;
            Ok(())
        })
    }

    fn batch(&self, start: usize, count: usize) -> anyhow::Result<()> {
        let put = |index| Write::put(&self.space, &key(index), vec![9; RECORD_BYTES]);
        self.runtime.block_on(self.store.batch((start..start + count).map(put).collect()))?;
        Ok(())
    }

    fn gets(&self, readers: usize, turn: Duration) -> anyhow::Result<usize> {
        self.from_tasks(readers, turn, |store, space, key| async move {
            let found = store.get(&space, &key).await?.context("a record is missing")?;
            ensure!(found.value.len() == RECORD_BYTES);
            Ok(())
        })
    }

    fn worked(&self) -> anyhow::Result<Duration> {
        let parent = Pid::from_raw(i32::try_from(self.parent.id())?);
        Ok(worked_by(Pid::this())? + worked_by(parent)?)
    }
}

fn endpoint(folder: &Path) -> Endpoint {
    Endpoint::Unix { path: folder.join("enclave.sock") }
}

async fn open(folder: &Path) -> Result<Store, StoreError> {
    let root = RootSecret::from_recovered(&Zeroizing::new([1; 32]));
    let blobs = ParentBlobs::new(EnclaveTransport::new(endpoint(folder)), BLOB_PORT);
    Store::open(Arc::new(blobs), StoreKeys::derive(&root)?, Options::default()).await
}

/// Opens the store once the parent is up.
async fn opened(folder: &Path) -> anyhow::Result<Store> {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match open(folder).await {
            Err(StoreError::Unavailable(_)) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return Ok(other?),
        }
    }
}

/// `r3e-parent` as it is run; over the database that `R3E_BENCH_POSTGRES` names, if it does.
pub(crate) fn run_parent(folder: &Path) -> anyhow::Result<()> {
    let configuration: PathBuf = folder.join("configuration");
    fs::write(&configuration, "bench")?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut settings = Settings::new(listen, endpoint(folder), folder.join("data"), configuration);
    if let Ok(url) = std::env::var("R3E_BENCH_POSTGRES") {
        settings.store = PostgresSettings::new(PostgresAddress::parse(&url, false)?).into();
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let _parent = Parent::start(settings).await?;
        std::future::pending().await
    })
}
