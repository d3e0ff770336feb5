//! What triggers need of the rest of the appliance.

use std::time::Duration;

use r3e_jobs::BoxFuture;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::triggers::Chain;
use r3e_proto::report::Report;
use zeroize::Zeroizing;

/// The tenants' functions and secrets.
pub trait Outside: Send + Sync + 'static {
    /// Whether the tenant may act, and has what `function` refers to.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn has_function<'a>(&'a self, tenant: TenantId, function: &'a str)
    -> BoxFuture<'a, Result<bool, String>>;

    /// Whether the tenant may act.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn is_active(&self, tenant: TenantId) -> BoxFuture<'_, Result<bool, String>>;

    /// The secret's value, where it is granted to what `function` refers to; none where it is not, or there is none.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn secret<'a>(
        &'a self,
        tenant: TenantId,
        function: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Zeroizing<String>>, String>>;
}

/// Chains that can be followed. A cursor is text that only who wrote it can read.
pub trait Chains: Send + Sync + 'static {
    /// Whether `chain` names something that can be followed here.
    ///
    /// # Errors
    /// In words for its tenant: what is wrong with it.
    fn check(&self, chain: &Chain) -> Result<(), String>;

    /// Where following begins: before the block `from`, or without one, behind the newest.
    ///
    /// # Errors
    /// [`NotRead`].
    fn begin<'a>(&'a self, chain: &'a Chain, from: Option<u64>) -> BoxFuture<'a, Result<Place, NotRead>>;

    /// What comes behind `cursor`.
    ///
    /// # Errors
    /// [`NotRead`].
    fn read<'a>(&'a self, chain: &'a Chain, cursor: &'a str) -> BoxFuture<'a, Result<Stretch, NotRead>>;

    /// How long to wait before the end of `chain` is looked at again.
    fn pause(&self, chain: &Chain) -> Duration;
}

/// The price feeds of tenants.
pub trait Prices: Send + Sync + 'static {
    /// The last sequence that the feed used; none where the tenant has no such feed.
    ///
    /// # Errors
    /// In words: it cannot be looked up now.
    fn last<'a>(&'a self, tenant: TenantId, feed: &'a str) -> BoxFuture<'a, Result<Option<u64>, String>>;

    /// The next of its reports behind a sequence that are kept, the oldest first; empty where there is none. None where the tenant
    /// has no such feed.
    ///
    /// # Errors
    /// In words: they cannot be read now.
    fn behind<'a>(
        &'a self,
        tenant: TenantId,
        feed: &'a str,
        sequence: u64,
    ) -> BoxFuture<'a, Result<Option<Vec<Report>>, String>>;

    /// Waits for news of a feed. Where they were there before, there is nothing to wait for.
    fn wait<'a>(&'a self, tenant: TenantId, feed: &'a str, news: News) -> BoxFuture<'a, ()>;
}

/// What may be new of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// There is such a feed.
    Feed,
    /// It published behind this sequence, or there is no such feed any more.
    Behind(u64),
}

/// A place in a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The place.
    pub cursor: String,
    /// The first block that does not wholly lie before it.
    pub next_block: u64,
}

/// A part of a chain that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// What was looked for, in order.
    pub seen: Vec<Seen>,
    /// The end.
    pub end: Place,
    /// Whether more can be read at once.
    pub more: bool,
}

/// Something on a chain that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is known again by, over all chains.
    pub key: String,
    /// What it says, the text of a JSON object with at least one member, without its first brace.
    pub members: String,
    /// The place behind it.
    pub behind: Place,
}

/// Why a chain was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// It cannot be asked now: why, in words for the tenant.
    #[error("{0}")]
    Unavailable(String),
    /// It became another one below what was read.
    #[error("{why}")]
    Reorganised {
        /// In words for the tenant.
        why: String,
        /// The newest place that still stands, where that is known.
        common: Option<Place>,
    },
    /// It cannot be read at this place, ever: why, in words for the tenant.
    #[error("{0}")]
    Stuck(String),
}
