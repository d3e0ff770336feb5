//! A feed as data: its name, its pair, its venues, its rules; and the digest by which a report says which they were.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::policy::{Feed, FeedError, Policy, Source};
use crate::limits::MAX_FEED_NAME_BYTES;
use crate::venue::{Definition, DefinitionError, Pair, Venue};
use r3e_proto::report::FeedId;

/// What the digest is over begins with this, and a zero byte.
const DIGEST_DOMAIN: &[u8] = b"r3e/1/feed-config\0";

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
        let value = serde_json::to_value(self).unwrap_or_default();
        let mut text = String::new();
        write_canonical(&value, &mut text);
        Sha256::new().chain_update(DIGEST_DOMAIN).chain_update(text).finalize().into()
    }
}

/// Members by their names, no blanks. There are no fractions in a definition, and no integer over 2^53, so that RFC 8785's rules for
/// numbers come to decimal text; and its names are ASCII, so that its order is that of bytes.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_canonical(&Value::String(name.clone()), text);
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_canonical(item, text);
            }
            text.push(']');
        }
        plain => {
            // Writing to a text cannot fail.
            let _ = write!(text, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json() {
        let value = serde_json::json!({ "b": [1, "x\n\"é", null, true], "a": { "d": {}, "c": [] } });
        let mut text = String::new();
        write_canonical(&value, &mut text);
        assert_eq!(text, r#"{"a":{"c":[],"d":{}},"b":[1,"x\n\"é",null,true]}"#);
    }
}
