//! The tables, and their making. Knows nothing of leases or commits.
//!
//! The row of `r3e.store` is the one that everybody locks: whoever commits, renews the lease or takes it over holds its
//! lock, so that these never cross.

use super::PostgresError;
use super::connect::Session;

/// The version of the tables that this program makes and uses.
const VERSION: i32 = 1;
/// Taken while tables are made: "r3e store" for a person who lists locks.
const MAKING: i64 = 0x7233_6573_746f_7265;

/// From nothing to version 1. Sealed bytes do not compress, so the server shall not try.
const FIRST: &str = "
    CREATE SCHEMA IF NOT EXISTS r3e;
    CREATE TABLE r3e.version (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        version integer NOT NULL
    );
    CREATE TABLE r3e.store (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        head bytea CHECK (octet_length(head) <= 1024),
        slot bytea CHECK (octet_length(slot) <= 65536),
        holder text,
        holder_name text NOT NULL DEFAULT '',
        epoch bigint NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL DEFAULT '-infinity'
    );
    CREATE TABLE r3e.records (
        name bytea PRIMARY KEY CHECK (octet_length(name) = 32),
        record bytea NOT NULL CHECK (octet_length(record) <= 2097152)
    );
    ALTER TABLE r3e.records ALTER COLUMN record SET STORAGE EXTERNAL;
    INSERT INTO r3e.store DEFAULT VALUES;
    INSERT INTO r3e.version (version) VALUES (1);
";

/// Makes the tables where there are none. Several parents may come at once; one makes them.
pub(super) async fn prepare(session: &Session) -> Result<(), PostgresError> {
    let client = &session.client;
    client.batch_execute("BEGIN").await?;
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&MAKING]).await?;
    let there = client.query_one("SELECT to_regclass('r3e.version') IS NOT NULL", &[]).await?;
    if !there.try_get::<_, bool>(0)? {
        client.batch_execute(FIRST).await?;
    }
    let found: i32 = client.query_one("SELECT version FROM r3e.version", &[]).await?.try_get(0)?;
    if found != VERSION {
        return Err(PostgresError::Schema { found, known: VERSION });
    }
    let logged = "SELECT bool_and(relpersistence = 'p') FROM pg_class \
                  WHERE oid IN ('r3e.store'::regclass, 'r3e.records'::regclass)";
    let logged: bool = client.query_one(logged, &[]).await?.try_get(0)?;
    if !logged {
        return Err(PostgresError::NotDurable { setting: "a table that is LOGGED" });
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}
