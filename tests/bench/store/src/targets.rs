//! What every target can do, and the two that are not sealed.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use rusqlite::Connection;

use crate::{RECORD_BYTES, key};

/// One of the stores. What it has taken when a call returns is durable.
pub(crate) trait Target: Send + Sync {
    fn name(&self) -> &'static str;

    /// Writes single records from `writers` at once; how many.
    fn puts(&self, writers: usize, turn: Duration) -> anyhow::Result<usize>;

    /// Writes `count` records as one, from the record `start` on.
    fn batch(&self, start: usize, count: usize) -> anyhow::Result<()>;

    /// Reads single records from `readers` at once; how many.
    fn gets(&self, readers: usize, turn: Duration) -> anyhow::Result<usize>;

    /// Processor time that the processes of this target have used.
    fn worked(&self) -> anyhow::Result<Duration> {
        worked_by(Pid::this())
    }
}

/// Processor time that a process has used.
pub(crate) fn worked_by(process: Pid) -> anyhow::Result<Duration> {
    Ok(clock_getcpuclockid(process)?.now()?.into())
}

/// Does `one` from as many threads, each over keys of its own; how often.
fn from_threads(
    threads: usize,
    turn: Duration,
    one: impl Fn(usize) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<usize> {
    let begun = Instant::now();
    let work = |thread: usize| -> anyhow::Result<usize> {
        let mut done = 0;
        while begun.elapsed() < turn {
            one(thread * 157 + done * 7)?;
            done += 1;
        }
        Ok(done)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread of the load")).sum()
    })
}

/// The engine below `r3e-parent`, as it sets it, alone.
pub(crate) struct Fjall {
    database: Database,
    records: fjall::Keyspace,
}

impl Fjall {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let database = Database::builder(path).journal_compression(fjall::CompressionType::None).open()?;
        let records = database.keyspace("records", || {
            let plain = fjall::config::CompressionPolicy::all(fjall::CompressionType::None);
            KeyspaceCreateOptions::default().data_block_compression_policy(plain)
        })?;
        Ok(Self { database, records })
    }
}

impl Target for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn puts(&self, writers: usize, turn: Duration) -> anyhow::Result<usize> {
        from_threads(writers, turn, |index| {
            self.records.insert(key(index), [8; RECORD_BYTES])?;
            self.database.persist(PersistMode::SyncAll)?;
            Ok(())
        })
    }

    fn batch(&self, start: usize, count: usize) -> anyhow::Result<()> {
        let mut batch = self.database.batch();
        for index in start..start + count {
            batch.insert(&self.records, key(index), [9; RECORD_BYTES]);
        }
        batch.commit()?;
        self.database.persist(PersistMode::SyncAll)?;
        Ok(())
    }

    fn gets(&self, readers: usize, turn: Duration) -> anyhow::Result<usize> {
        from_threads(readers, turn, |index| {
            let found = self.records.get(key(index))?.context("a record is missing")?;
            ensure!(found.len() == RECORD_BYTES);
            Ok(())
        })
    }
}

/// SQLite as an application embeds it.
pub(crate) struct Sqlite(Mutex<Connection>);

const PUT: &str =
    "INSERT INTO records (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";

impl Sqlite {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection
            .execute("CREATE TABLE records (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID", [])?;
        Ok(Self(Mutex::new(connection)))
    }
}

impl Target for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn puts(&self, writers: usize, turn: Duration) -> anyhow::Result<usize> {
        from_threads(writers, turn, |index| {
            let connection = self.0.lock().expect("the lock");
            connection.prepare_cached(PUT)?.execute((key(index), [8_u8; RECORD_BYTES]))?;
            Ok(())
        })
    }

    fn batch(&self, start: usize, count: usize) -> anyhow::Result<()> {
        let mut connection = self.0.lock().expect("the lock");
        let transaction = connection.transaction()?;
        for index in start..start + count {
            transaction.prepare_cached(PUT)?.execute((key(index), [9_u8; RECORD_BYTES]))?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn gets(&self, readers: usize, turn: Duration) -> anyhow::Result<usize> {
        from_threads(readers, turn, |index| {
            let connection = self.0.lock().expect("the lock");
            let mut query = connection.prepare_cached("SELECT value FROM records WHERE key = ?1")?;
            let found: Vec<u8> = query.query_row([key(index)], |row| row.get(0))?;
            ensure!(found.len() == RECORD_BYTES);
            Ok(())
        })
    }
}
