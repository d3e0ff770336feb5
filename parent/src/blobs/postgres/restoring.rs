//! The database while a backup is put back: one transaction, which nobody sees before its end and which no parent can
//! write beside, since it holds the row's lock from its beginning.

use r3e_proto::host::blob::BlobName;

use super::connect::{Connector, Session};
use super::tenure::within;
use super::{PostgresError, PostgresSettings, schema};

/// The transaction. Dropped before [`Restoring::complete`], nothing of it stands.
pub(crate) struct Restoring {
    session: Session,
    holder: Option<String>,
    is_empty: bool,
}

impl Restoring {
    /// Takes the lock, and looks.
    pub(crate) async fn begin(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        let session = Connector::new(settings, "restore")?.connect().await?;
        within(schema::prepare(&session)).await?;
        let client = &session.client;
        // A long file is no hanging parent.
        within(client.batch_execute("SET idle_in_transaction_session_timeout = 0; BEGIN")).await?;
        let row = within(client.query_one(LOOK, &[])).await?;
        let (held, name, is_empty): (bool, String, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(Self { session, holder: held.then_some(name), is_empty })
    }

    /// The parent that holds the lease, if one does.
    pub(crate) fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// Whether there is nothing: no head, no slot, no record.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Drops every record.
    pub(crate) async fn clear(&self) -> Result<(), PostgresError> {
        // For a large table this takes its time, and nobody else waits for it.
        self.session.client.batch_execute("DELETE FROM r3e.records").await?;
        Ok(())
    }

    /// Writes records that are not there yet.
    pub(crate) async fn fill(&self, records: &[(BlobName, Vec<u8>)]) -> Result<(), PostgresError> {
        let (names, blobs): (Vec<&[u8]>, Vec<&[u8]>) =
            records.iter().map(|(name, blob)| (name.as_slice(), blob.as_slice())).unzip();
        self.session.client.execute(FILL, &[&names, &blobs]).await?;
        Ok(())
    }

    /// Sets head and slot, fences whoever held the lease before, and commits.
    pub(crate) async fn complete(
        self,
        head: Option<&[u8]>,
        slot: Option<&[u8]>,
    ) -> Result<(), PostgresError> {
        let client = &self.session.client;
        within(client.execute(COMPLETE, &[&head, &slot])).await?;
        client.batch_execute("COMMIT").await?;
        Ok(())
    }
}

const LOOK: &str = "
    SELECT expires_at > clock_timestamp(), holder_name,
        head IS NULL AND slot IS NULL AND NOT EXISTS (SELECT FROM r3e.records)
    FROM r3e.store FOR UPDATE";
const FILL: &str = "INSERT INTO r3e.records (name, record) SELECT * FROM unnest($1::bytea[], $2::bytea[])";
const COMPLETE: &str = "
    UPDATE r3e.store SET head = $1, slot = $2, holder = NULL, holder_name = '', epoch = epoch + 1,
        expires_at = '-infinity'";
