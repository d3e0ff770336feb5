//! The venues that are built in: public tickers of one market, as their documentation has them.

use super::definition::Definition;

/// Their definitions. `venues.json` beside this file is what people read and change copies of.
const VENUES: &str = include_str!("venues.json");

/// Binance, Bitstamp, Coinbase Exchange, Gate, Gemini, Kraken, `KuCoin` and OKX, each for every pair that it has a market of. For
/// another market than the pair's own, tether for dollars, say, a copy has it in `markets`: nobody else should decide that one
/// asset stands for another.
pub fn built_in() -> Vec<Definition> {
    // A test reads the same text.
    serde_json::from_str(VENUES).unwrap_or_default()
}
