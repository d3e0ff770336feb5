//! Holds the lease, or waits for it: one row says which parent has it, at which epoch, and until when by the server's
//! clock.
//!
//! The holder renews it three times in its life. A standby looks whether it has run out, and takes it then, or at once
//! when it is told to. Each change of hands raises the epoch, by which the one before is kept from writing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;
use tracing::{info, warn};

use super::connect::{Connector, Session, application_name};
use super::holder::Holder;
use super::lease::{Lease, LeaseState, Order};
use super::{PostgresError, PostgresSettings, schema};
use crate::blobs::in_words;
use crate::counters::Counters;
use crate::limits::{MIN_LEASE_MS, STORE_OPERATION_TIMEOUT_MS, STORE_RETRY_FIRST_MS, STORE_RETRY_MOST_MS};

/// Keeps the lease, or waits for it, until it is dropped.
pub(crate) struct LeaseTask {
    lease: Lease,
    connector: Connector,
    session: Option<Session>,
    orders: mpsc::Receiver<Order>,
    name: String,
    term: Duration,
    counters: Arc<Counters>,
}

impl LeaseTask {
    /// Connects, makes the tables where there are none, and takes the lease if it is free, or of the process that had this very
    /// folder before.
    pub(crate) async fn open(
        settings: &PostgresSettings,
        data: &Path,
        counters: Arc<Counters>,
    ) -> Result<(Self, Lease), PostgresError> {
        let Holder { name: holder, before } = Holder::begin(data)?;
        let connector = Connector::new(settings, &holder)?;
        let session = connector.connect().await?;
        within(schema::prepare(&session)).await?;
        let (lease, orders) = Lease::new(holder);
        let task = Self {
            lease: lease.clone(),
            connector,
            session: Some(session),
            orders,
            name: own_name(),
            term: Duration::from_millis(settings.lease_ms.max(MIN_LEASE_MS).into()),
            counters,
        };
        task.ask_for(before.as_deref()).await?;
        Ok((task, lease))
    }

    /// How the store makes its own sessions.
    pub(crate) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Until the parent stops.
    pub(crate) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let pause = match self.turn().await {
                Ok(()) => {
                    failures = 0;
                    match self.lease.state() {
                        // An answer that was long in coming leaves less than the whole term.
                        LeaseState::Held { until, .. } => {
                            until.duration_since(Instant::now()).min(self.term) / 3
                        }
                        LeaseState::Standby { .. } => self.term / 10,
                    }
                }
                Err(error) => {
                    self.session = None;
                    self.in_trouble(&error);
                    failures += 1;
                    retry_pause(failures)
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = self.lease.doubted() => {}
                () = self.lease.run_out() => {}
                order = self.orders.recv() => match order {
                    None => return,
                    Some(Order::TakeOver(answer)) => {
                        let mut done = self.take_over().await;
                        if done.is_err() {
                            // One who takes over ends the sessions of the holder before, which may have been this parent.
                            self.session = None;
                            done = self.take_over().await;
                        }
                        let _ = answer.send(done.map_err(|error| in_words(&error)));
                    }
                    Some(Order::Release(answer)) => {
                        if let Err(error) = self.release().await {
                            warn!(reason = in_words(&error), "the lease was not given back: it runs out by itself");
                        }
                        let _ = answer.send(());
                        return;
                    }
                },
            }
        }
    }

    /// A session stands, as far as can be seen.
    async fn connected(&mut self) -> Result<(), PostgresError> {
        if self.session.as_ref().is_none_or(|session| session.client.is_closed()) {
            self.session = Some(self.connector.connect().await?);
        }
        Ok(())
    }

    async fn turn(&mut self) -> Result<(), PostgresError> {
        self.connected().await?;
        match self.lease.last_known() {
            LeaseState::Held { epoch, .. } => self.renew(epoch).await,
            LeaseState::Standby { .. } => self.ask_for(None).await,
        }
    }

    async fn renew(&self, epoch: i64) -> Result<(), PostgresError> {
        let client = &self.session()?.client;
        // The server's clock starts later than this, and runs as fast.
        let asked_at = Instant::now();
        let renewed =
            within(client.query_opt(RENEW, &[&self.lease.holder(), &epoch, &self.term_ms()])).await?;
        let Some(row) = renewed else {
            warn!(epoch, "the lease is another parent's: this one is on standby and writes nothing");
            self.counters.lease.lost.add(1);
            self.lease.is_over(epoch);
            return self.look().await;
        };
        let bytes: i64 = row.try_get(0)?;
        self.counters.blobs.disk_bytes.set(u64::try_from(bytes).unwrap_or(0));
        self.holds(epoch, asked_at);
        Ok(())
    }

    /// Takes the lease if it has run out, or if it is still that of `before`, who is known to be dead.
    async fn ask_for(&self, before: Option<&str>) -> Result<(), PostgresError> {
        let client = &self.session()?.client;
        let asked_at = Instant::now();
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&self.lease.holder(), &self.name, &self.term_ms(), &before];
        match within(client.query_opt(TAKE_IF_FREE, &parameters)).await? {
            Some(row) => {
                let epoch = row.try_get(0)?;
                self.has_taken(epoch, asked_at);
                Ok(())
            }
            None => self.look().await,
        }
    }

    /// Who holds it.
    async fn look(&self) -> Result<(), PostgresError> {
        let client = &self.session()?.client;
        let row = within(client.query_one("SELECT holder_name, holder FROM r3e.store", &[])).await?;
        let (name, holder): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let other = (holder.as_deref() != Some(self.lease.holder())).then_some(name);
        let known = other.clone();
        if self.lease.set(LeaseState::Standby { holder: other, trouble: None })
            && let Some(holder) = known
        {
            info!(holder, "on standby: another parent holds the lease");
            self.lease.another_held_it();
        }
        Ok(())
    }

    async fn take_over(&mut self) -> Result<i64, PostgresError> {
        self.connected().await?;
        // What this parent believes may be old: only the row says whether it still holds the lease.
        if let LeaseState::Held { epoch, .. } = self.lease.last_known() {
            self.renew(epoch).await?;
            if let LeaseState::Held { epoch, .. } = self.lease.last_known() {
                return Ok(epoch);
            }
        }
        let client = &self.session()?.client;
        // A holder that hangs in a transaction would keep the row's lock. What it has committed stands.
        let prefix = application_name("");
        within(client.query(END_SESSIONS, &[&prefix, &self.lease.holder()])).await?;
        let asked_at = Instant::now();
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.lease.holder(), &self.name, &self.term_ms()];
        let epoch = within(client.query_one(TAKE, &parameters)).await?.try_get(0)?;
        self.has_taken(epoch, asked_at);
        Ok(epoch)
    }

    async fn release(&self) -> Result<(), PostgresError> {
        let LeaseState::Held { epoch, .. } = self.lease.state() else { return Ok(()) };
        let client = &self.session()?.client;
        within(client.execute(RELEASE, &[&self.lease.holder(), &epoch])).await?;
        self.lease.is_over(epoch);
        info!(epoch, "gave the lease back");
        Ok(())
    }

    fn has_taken(&self, epoch: i64, asked_at: Instant) {
        info!(epoch, "this parent holds the lease");
        let (epoch_before, now) = (self.counters.lease.epoch.get(), u64::try_from(epoch).unwrap_or(0));
        if epoch_before > 0 && now > epoch_before + 1 {
            self.lease.another_held_it();
        }
        self.counters.lease.taken.add(1);
        self.counters.lease.epoch.set(now);
        self.holds(epoch, asked_at);
    }

    fn holds(&self, epoch: i64, asked_at: Instant) {
        self.lease.set(LeaseState::Held { epoch, until: asked_at + self.term });
    }

    fn in_trouble(&self, error: &PostgresError) {
        let words = in_words(error);
        warn!(reason = words, "the lease cannot be looked after");
        self.counters.lease.failures.add(1);
        match self.lease.last_known() {
            // It may still be renewed in time.
            LeaseState::Held { until, .. } if Instant::now() < until => {}
            LeaseState::Held { .. } => {
                self.lease.set(LeaseState::Standby { holder: None, trouble: Some(words) });
            }
            LeaseState::Standby { holder, .. } => {
                self.lease.set(LeaseState::Standby { holder, trouble: Some(words) });
            }
        }
    }

    fn session(&self) -> Result<&Session, PostgresError> {
        self.session.as_ref().ok_or(PostgresError::Unexpected { what: "a session that was not made" })
    }

    fn term_ms(&self) -> f64 {
        self.term.as_secs_f64() * 1000.0
    }
}

/// The size of the tables comes with it: nobody else asks the database regularly.
const RENEW: &str = "
    UPDATE r3e.store SET expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
    WHERE holder = $1 AND epoch = $2
    RETURNING pg_total_relation_size('r3e.records') + pg_total_relation_size('r3e.store')";

/// A row that was locked by another is judged again as that one left it, so two standbys never both take it.
const TAKE_IF_FREE: &str = "
    UPDATE r3e.store SET holder = $1, holder_name = $2, epoch = epoch + 1,
        expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
    WHERE expires_at <= clock_timestamp() OR holder = $4::text
    RETURNING epoch";

const TAKE: &str = "
    UPDATE r3e.store SET holder = $1, holder_name = $2, epoch = epoch + 1,
        expires_at = clock_timestamp() + $3::float8 * interval '1 millisecond'
    RETURNING epoch";

const END_SESSIONS: &str = "
    SELECT pg_terminate_backend(activity.pid) FROM pg_stat_activity activity, r3e.store
    WHERE activity.application_name = $1::text || store.holder AND store.holder <> $2
        AND activity.usename = current_user AND activity.datname = current_database()";

const RELEASE: &str = "UPDATE r3e.store SET expires_at = '-infinity' WHERE holder = $1 AND epoch = $2";

/// With the time limit that a question to the database has.
pub(super) async fn within<T, E: Into<PostgresError>>(
    asking: impl Future<Output = Result<T, E>>,
) -> Result<T, PostgresError> {
    timeout(Duration::from_millis(STORE_OPERATION_TIMEOUT_MS), asking)
        .await
        .map_err(|_| PostgresError::TimedOut)?
        .map_err(Into::into)
}

/// How long to wait after so many failures in a row.
pub(super) fn retry_pause(failures: u32) -> Duration {
    let doubled = STORE_RETRY_FIRST_MS.saturating_mul(1 << failures.saturating_sub(1).min(16));
    Duration::from_millis(doubled.min(STORE_RETRY_MOST_MS))
}

/// What a person who reads a status on another machine knows this parent by.
fn own_name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} (process {})", host.trim(), std::process::id())
}
