//! Heads, records and the slot in the database, by one session that one task uses.
//!
//! A group of requests that write is one transaction. It begins by locking the row of `r3e.store` where holder and epoch
//! are this parent's, and so ends before or begins after any takeover. A failure anywhere gives the whole group up and
//! drops the session; the next request makes a new one, which first takes the same lock: so it never answers while an
//! older transaction of ours might still commit.

use std::time::Duration;

use r3e_proto::host::blob::{BlobName, Commit, HeadDigest};
use r3e_proto::limits::{MAX_LIST_BYTES, MAX_LIST_RECORDS};
use tokio::time::{Instant, sleep_until};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Row, Statement};

use super::PostgresError;
use super::connect::{Connector, Session};
use super::lease::Lease;
use super::snapshot::{Moment, page_of};
use super::tenure::{retry_pause, within};
use crate::blobs::keep::{Applied, Page, Snapshot, Store, StoreError, StoreFuture, digest, each_name_once};

/// The store.
pub(crate) struct Postgres {
    connector: Connector,
    lease: Lease,
    session: Option<Prepared>,
    open: Option<Open>,
    /// A transaction with writes in it was given up; those who wrote in it must hear so.
    given_up: bool,
    failures: u32,
    not_before: Option<Instant>,
}

/// A session with the statements that it has prepared.
struct Prepared {
    session: Session,
    lock: Statement,
    head: Statement,
    read: Statement,
    slot: Statement,
    list: Statement,
    put: Statement,
    delete: Statement,
    set_head: Statement,
    set_slot: Statement,
}

/// A transaction that holds the row's lock, and what stands within it.
struct Open {
    head: Option<HeadDigest>,
    slot: Option<HeadDigest>,
    has_written: bool,
}

impl Postgres {
    /// Connects when it is first asked.
    pub(crate) fn new(connector: Connector, lease: Lease) -> Self {
        Self { connector, lease, session: None, open: None, given_up: false, failures: 0, not_before: None }
    }

    async fn head(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.ask(|prepared| &prepared.head).await?;
        Ok(row.try_get(0).map_err(PostgresError::from)?)
    }

    async fn slot(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.ask(|prepared| &prepared.slot).await?;
        Ok(row.try_get(0).map_err(PostgresError::from)?)
    }

    /// A question about the row of the store, which this parent must hold.
    async fn ask(&mut self, which: impl Fn(&Prepared) -> &Statement) -> Result<Row, StoreError> {
        let epoch = self.lease.epoch()?;
        self.connected().await?;
        let prepared = self.prepared()?;
        let client = prepared.client();
        let answered = within(client.query_opt(which(prepared), &[&self.lease.holder(), &epoch])).await;
        self.held_row(answered, epoch)
    }

    async fn read(&mut self, name: BlobName) -> Result<Option<Vec<u8>>, StoreError> {
        let epoch = self.lease.epoch()?;
        self.connected().await?;
        let prepared = self.prepared()?;
        let client = prepared.client();
        let answered =
            within(client.query_opt(&prepared.read, &[&self.lease.holder(), &epoch, &name.as_slice()])).await;
        let row = self.held_row(answered, epoch)?;
        Ok(row.try_get(0).map_err(PostgresError::from)?)
    }

    async fn list(&mut self, after: Option<BlobName>) -> Result<Page, StoreError> {
        let epoch = self.lease.epoch()?;
        self.connected().await?;
        let prepared = self.prepared()?;
        let page = page_of(prepared.client(), &prepared.list, after).await;
        let page = page.map_err(|error| self.broken(error))?;
        // Asked after the page, so the page was this epoch's.
        self.ask(|prepared| &prepared.head).await?;
        // A takeover and its end may lie between; the epoch that is asked for tells.
        if self.lease.epoch()? == epoch { Ok(page) } else { Err(StoreError::Fenced) }
    }

    async fn apply(&mut self, commit: Commit) -> Result<Applied, StoreError> {
        each_name_once(&commit)?;
        let open = self.locked().await?;
        if commit.expected != open.head {
            return Ok(Applied::Conflict);
        }
        open.head = Some(digest(&commit.head));
        open.has_written = true;
        let (names, blobs): (Vec<&[u8]>, Vec<&[u8]>) =
            commit.puts.iter().map(|(name, blob)| (name.as_slice(), blob.as_slice())).unzip();
        let deletes: Vec<&[u8]> = commit.deletes.iter().map(BlobName::as_slice).collect();
        let prepared = self.prepared()?;
        let client = prepared.client();
        // Sent together; they touch different rows, so their order is of no account.
        let writing = async {
            let puts = async {
                if names.is_empty() {
                    return Ok(0);
                }
                client.execute(&prepared.put, &[&names, &blobs]).await
            };
            let drops = async {
                if deletes.is_empty() {
                    return Ok(0);
                }
                client.execute(&prepared.delete, &[&deletes]).await
            };
            let head = async { client.execute(&prepared.set_head, &[&commit.head]).await };
            let (puts, drops, head) = tokio::join!(puts, drops, head);
            first_cause([puts, drops, head])
        };
        let written = within(writing).await;
        match written {
            Ok([_, _, 1]) => Ok(Applied::Written),
            Ok(_) => Err(self.broken(PostgresError::Unexpected { what: "there is no row of the store" })),
            Err(error) => Err(self.broken(error)),
        }
    }

    async fn write_slot(
        &mut self,
        expected: Option<HeadDigest>,
        value: Vec<u8>,
    ) -> Result<Applied, StoreError> {
        let open = self.locked().await?;
        if expected != open.slot {
            return Ok(Applied::Conflict);
        }
        open.slot = Some(digest(&value));
        open.has_written = true;
        let prepared = self.prepared()?;
        let written = within(prepared.client().execute(&prepared.set_slot, &[&value])).await;
        match written {
            Ok(1) => Ok(Applied::Written),
            Ok(_) => Err(self.broken(PostgresError::Unexpected { what: "there is no row of the store" })),
            Err(error) => Err(self.broken(error)),
        }
    }

    async fn finish(&mut self) -> Result<bool, StoreError> {
        if std::mem::take(&mut self.given_up) {
            return Err(StoreError::GivenUp);
        }
        let Some(open) = &self.open else { return Ok(false) };
        let has_written = open.has_written;
        let end = if has_written { "COMMIT" } else { "ROLLBACK" };
        let ended = within(self.prepared()?.client().batch_execute(end)).await;
        self.open = None;
        match ended {
            Ok(()) => Ok(has_written),
            // Whether it was committed is unknown until a new session has seen the row.
            Err(error) => Err(self.broken(error)),
        }
    }

    async fn snapshot(&mut self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(Moment::begin(&self.connector).await?))
    }

    /// The open transaction, begun if there is none: it holds the lock, and this parent holds the lease.
    async fn locked(&mut self) -> Result<&mut Open, StoreError> {
        if self.open.is_none() {
            let epoch = self.lease.epoch()?;
            self.connected().await?;
            let prepared = self.prepared()?;
            let client = prepared.client();
            let beginning = async {
                client.batch_execute("BEGIN").await?;
                client.query_opt(&prepared.lock, &[&self.lease.holder(), &epoch]).await
            };
            let answered = within(beginning).await;
            let row = self.held_row(answered, epoch)?;
            let digest_at = |column: usize| -> Result<Option<HeadDigest>, PostgresError> {
                Ok(row.try_get::<_, Option<&[u8]>>(column)?.map(digest))
            };
            let (head, slot) = (digest_at(0)?, digest_at(1)?);
            self.open = Some(Open { head, slot, has_written: false });
        }
        self.open.as_mut().ok_or(StoreError::GivenUp)
    }

    /// A session stands, made anew with a growing pause after failures.
    async fn connected(&mut self) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|prepared| prepared.client().is_closed()) {
            self.drop_session();
        }
        if self.given_up {
            return Err(StoreError::GivenUp);
        }
        if self.session.is_none() {
            if let Some(not_before) = self.not_before {
                sleep_until(not_before).await;
            }
            match self.connect().await {
                Ok(prepared) => self.session = Some(prepared),
                Err(error) => return Err(self.broken(error)),
            }
            (self.failures, self.not_before) = (0, None);
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Prepared, PostgresError> {
        let session = self.connector.connect().await?;
        let preparing = async {
            let client = &session.client;
            // Waits for whatever an older session of ours has sent.
            client.query_opt("SELECT epoch FROM r3e.store FOR UPDATE", &[]).await?;
            let statements = [LOCK, HEAD, READ, SLOT, LIST, PUT, DELETE, SET_HEAD, SET_SLOT];
            let mut prepared = Vec::with_capacity(statements.len());
            for statement in statements {
                prepared.push(client.prepare(statement).await?);
            }
            Ok::<_, tokio_postgres::Error>(prepared)
        };
        let prepared: Result<[Statement; 9], _> = within(preparing).await?.try_into();
        let Ok([lock, head, read, slot, list, put, delete, set_head, set_slot]) = prepared else {
            return Err(PostgresError::Unexpected { what: "statements were not prepared" });
        };
        Ok(Prepared { session, lock, head, read, slot, list, put, delete, set_head, set_slot })
    }

    fn prepared(&self) -> Result<&Prepared, StoreError> {
        self.session.as_ref().ok_or(StoreError::GivenUp)
    }

    /// The row, if it is this parent's at `epoch`.
    fn held_row(
        &mut self,
        answered: Result<Option<Row>, PostgresError>,
        epoch: i64,
    ) -> Result<Row, StoreError> {
        match answered {
            Ok(Some(row)) => Ok(row),
            Ok(None) => {
                self.lease.is_over(epoch);
                self.drop_session();
                Err(StoreError::Fenced)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    /// Gives up the session after a failure, and the transaction with it.
    fn broken(&mut self, error: PostgresError) -> StoreError {
        self.drop_session();
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + retry_pause(self.failures).min(MAX_ANSWER_DELAY));
        StoreError::Postgres(error)
    }

    fn drop_session(&mut self) {
        self.session = None;
        self.given_up |= self.open.take().is_some_and(|open| open.has_written);
    }
}

impl Store for Postgres {
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(Postgres::head(self))
    }

    fn read(&mut self, name: BlobName) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(Postgres::read(self, name))
    }

    fn list(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page> {
        Box::pin(Postgres::list(self, after))
    }

    fn apply(&mut self, commit: Commit) -> StoreFuture<'_, Applied> {
        Box::pin(Postgres::apply(self, commit))
    }

    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(Postgres::slot(self))
    }

    fn write_slot(&mut self, expected: Option<HeadDigest>, value: Vec<u8>) -> StoreFuture<'_, Applied> {
        Box::pin(Postgres::write_slot(self, expected, value))
    }

    fn finish(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(Postgres::finish(self))
    }

    fn snapshot(&mut self) -> StoreFuture<'_, Box<dyn Snapshot>> {
        Box::pin(Postgres::snapshot(self))
    }
}

impl Prepared {
    fn client(&self) -> &Client {
        &self.session.client
    }
}

/// What statements that were sent together came to. After one that fails, those behind it say only that another has failed.
fn first_cause(done: [Result<u64, tokio_postgres::Error>; 3]) -> Result<[u64; 3], tokio_postgres::Error> {
    let mut rows = [0; 3];
    let mut consequence = None;
    for (rows, done) in rows.iter_mut().zip(done) {
        match done {
            Ok(count) => *rows = count,
            Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
                consequence = Some(error);
            }
            Err(cause) => return Err(cause),
        }
    }
    consequence.map_or(Ok(rows), Err)
}

/// The longest pause before a session is made again: whoever waits for an answer has a limit of its own.
const MAX_ANSWER_DELAY: Duration = Duration::from_secs(1);

/// A row that another has changed while we waited for its lock is judged again as it is then.
const LOCK: &str = "
    SELECT head, slot FROM r3e.store
    WHERE holder = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR UPDATE";
const HEAD: &str = "SELECT head FROM r3e.store WHERE holder = $1 AND epoch = $2";
const SLOT: &str = "SELECT slot FROM r3e.store WHERE holder = $1 AND epoch = $2";
const READ: &str = "
    SELECT (SELECT record FROM r3e.records WHERE name = $3)
    FROM r3e.store WHERE holder = $1 AND epoch = $2";
const PUT: &str = "
    INSERT INTO r3e.records (name, record) SELECT * FROM unnest($1::bytea[], $2::bytea[])
    ON CONFLICT (name) DO UPDATE SET record = EXCLUDED.record";
const DELETE: &str = "DELETE FROM r3e.records WHERE name = ANY($1::bytea[])";
const SET_HEAD: &str = "UPDATE r3e.store SET head = $1";
const SET_SLOT: &str = "UPDATE r3e.store SET slot = $1";

/// As many as fit one answer, and at least one; with each row, how many there are up to one more than fit by number.
/// Sizes are summed without the records being read. After `$1`, at most `$2` records and `$3` bytes.
pub(super) const LIST: &str = "
    SELECT name, record, total FROM (
        SELECT name, record, row_number() OVER (ORDER BY name) AS place,
            sum(octet_length(record)) OVER (ORDER BY name) AS bytes, count(*) OVER () AS total
        FROM (SELECT name, record FROM r3e.records WHERE name > $1 ORDER BY name LIMIT $2::int8 + 1) AS next
    ) AS counted
    WHERE place = 1 OR (place <= $2 AND bytes <= $3::int8) ORDER BY name";

/// The limits that [`LIST`] is asked with.
pub(super) fn list_limits() -> (i64, i64) {
    let limit = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    (limit(MAX_LIST_RECORDS), limit(MAX_LIST_BYTES))
}
