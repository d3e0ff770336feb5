//! A feed as data: its name, its pair, its venues, its rules; and the digest by which a report says which they were.

use serde::{Deserialize, Serialize};

use super::policy::{Feed, FeedError, Policy, Source};
use crate::limits::MAX_FEED_NAME_BYTES;
use crate::venue::{Definition, DefinitionError, Pair, Venue};
use r3e_proto::report::{FeedId, config_digest};

/// A feed, as an operator or a tenant writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedDefinition {
    /// Its name, which is its identifier on chain.
    pub name: String,
    /// What its answer is the price of.
    pub pair: Pair,
    /// When it publishes what.
    pub policy: Policy,
    /// Whom it asks.
    pub venues: Vec<Definition>,
}

/// Why a feed's definition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedDefinitionError {
    /// The name.
    #[error("a feed's name is 1 to {MAX_FEED_NAME_BYTES} printable ASCII characters")]
    Name,
    /// A venue.
    #[error(transparent)]
    Venue(#[from] DefinitionError),
    /// The rules, or the venues together.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl FeedDefinition {
    /// The feed, and its venues.
    ///
    /// # Errors
    /// [`FeedDefinitionError`].
    pub fn read(&self) -> Result<(Feed, Vec<Venue>), FeedDefinitionError> {
        let id = FeedId::named(&self.name).ok_or(FeedDefinitionError::Name)?;
        let venues = self.venues.iter().cloned().map(Venue::new).collect::<Result<Vec<_>, _>>()?;
        let source = |venue: &Definition| Source { id: venue.id.clone(), weight: venue.weight };
        let feed = Feed::new(id, self.venues.iter().map(source).collect(), self.policy.clone())?;
        Ok((feed, venues))
    }

    /// SHA-256 over a domain and the definition's canonical JSON (RFC 8785). Two definitions that differ in anything, the order of
    /// venues included, have different ones.
    pub fn digest(&self) -> [u8; 32] {
        config_digest(&serde_json::to_value(self).unwrap_or_default())
    }
}
