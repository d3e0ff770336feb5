//! Venues: from a definition to what one answer says.
//!
//! ```text
//! Definition --Venue::new--> Venue --url(pair)--> whoever fetches --body--> read(pair, body) --> Observation
//! ```

mod builtin;
mod definition;
mod pair;
mod read;
mod template;
mod value_path;

pub use builtin::built_in;
pub use definition::{
    Definition, DefinitionError, Expectation, Market, TimeField, TimeUnit, VolumeField, VolumeOf,
};
pub use pair::{Pair, PairError};
pub use read::{Observation, ReadError, ValueError};
pub use value_path::{PickError, ValuePath};

use definition::Parts;
use template::Names;

/// A venue whose definition keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venue {
    definition: Definition,
    parts: Parts,
}

impl Venue {
    /// Reads a definition.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn new(definition: Definition) -> Result<Self, DefinitionError> {
        let parts = definition.parts()?;
        Ok(Self { definition, parts })
    }

    /// The definition.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Where to ask for a pair. Redirects are not to be followed, and addresses that are not public not to be reached: that is for
    /// whoever asks.
    pub fn url(&self, pair: &Pair) -> String {
        let (names, _) = self.names(pair);
        self.parts.url.fill(&names)
    }

    /// Reads an answer about a pair, of HTTP's status 200.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&self, pair: &Pair, body: &[u8]) -> Result<Observation, ReadError> {
        let (names, inverse) = self.names(pair);
        read::read(&self.parts, &names, inverse, body, self.definition.max_bytes)
    }

    /// What the venue calls the pair's market, and whether that has the inverse price.
    fn names(&self, pair: &Pair) -> (Names, bool) {
        let market = self.definition.markets.get(pair);
        let inverse = market.is_some_and(|market| market.inverse);
        let (base, quote) = if inverse { (pair.quote(), pair.base()) } else { (pair.base(), pair.quote()) };
        let base = market.and_then(|market| market.base.as_deref()).unwrap_or(base);
        let quote = market.and_then(|market| market.quote.as_deref()).unwrap_or(quote);
        let theirs = |asset: &str| {
            let renamed = self.definition.assets.get(asset).map(String::as_str);
            renamed.unwrap_or(asset).to_owned()
        };
        let mut names = Names { base: theirs(base), quote: theirs(quote), pair: String::new() };
        names.pair = match market.and_then(|market| market.pair.clone()) {
            Some(pair) => pair,
            None => self.parts.pair.fill(&names),
        };
        (names, inverse)
    }
}
