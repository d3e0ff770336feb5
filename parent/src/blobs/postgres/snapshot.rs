//! One moment of the database, for a backup: a transaction that sees what stood when it began, and writes nothing. It
//! needs no lease.

use r3e_proto::host::blob::BlobName;
use tokio_postgres::{Client, Statement};

use super::PostgresError;
use super::connect::{Connector, Session};
use super::store::{LIST, list_limits};
use super::tenure::within;
use crate::blobs::keep::{Page, Snapshot, StoreFuture};

/// The moment. Dropped, its session ends.
pub(crate) struct Moment {
    session: Session,
    list: Statement,
}

impl Moment {
    /// Now.
    pub(crate) async fn begin(connector: &Connector) -> Result<Self, PostgresError> {
        let session = connector.connect().await?;
        // The reader of a backup may be slow, and holds no lock that anybody waits for.
        let begin = "SET idle_in_transaction_session_timeout = 0; \
                     BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        within(session.client.batch_execute(begin)).await?;
        let list = within(session.client.prepare(LIST)).await?;
        let moment = Self { session, list };
        // The moment is that of the first question.
        moment.single("SELECT head FROM r3e.store").await?;
        Ok(moment)
    }

    async fn single(&self, question: &str) -> Result<Option<Vec<u8>>, PostgresError> {
        Ok(within(self.session.client.query_one(question, &[])).await?.try_get(0)?)
    }
}

impl Snapshot for Moment {
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.single("SELECT head FROM r3e.store").await?) })
    }

    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.single("SELECT slot FROM r3e.store").await?) })
    }

    fn page(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page> {
        Box::pin(async move { Ok(page_of(&self.session.client, &self.list, after).await?) })
    }
}

/// The records after `after`, as many as fit one answer, in one look of the server's.
pub(super) async fn page_of(
    client: &Client,
    list: &Statement,
    after: Option<BlobName>,
) -> Result<Page, PostgresError> {
    let (records, bytes) = list_limits();
    let after: &[u8] = after.as_ref().map_or(&[], BlobName::as_slice);
    let rows = within(client.query(list, &[&after, &records, &bytes])).await?;
    let mut page = Page { records: Vec::with_capacity(rows.len()), more: false };
    for row in &rows {
        let name: &[u8] = row.try_get(0)?;
        let name =
            name.try_into().map_err(|_| PostgresError::Unexpected { what: "a name of another length" })?;
        page.records.push((name, row.try_get(1)?));
        let total: i64 = row.try_get(2)?;
        page.more = usize::try_from(total).is_ok_and(|total| total > rows.len());
    }
    Ok(page)
}
