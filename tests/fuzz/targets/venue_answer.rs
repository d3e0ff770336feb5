//! What a venue answers, and a definition of a venue. The first byte says how it is read.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use r3e_oracle::decimal::Decimal;
use r3e_oracle::json::{Json, JsonError};
use r3e_oracle::venue::{Definition, Pair, Venue, built_in};
use serde_json::Value;

const LIMIT_BYTES: usize = 16 * 1024;
/// The last millisecond of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;
/// Where the built-in venues' prices stand, as another reader finds them; of Kraken's, in the only market.
const PRICES: [&str; 8] =
    ["/lastPrice", "/last", "/price", "/0/last", "/last", "/c/0", "/data/last", "/data/0/last"];

static VENUES: LazyLock<Vec<Venue>> =
    LazyLock::new(|| built_in().into_iter().filter_map(|one| Venue::new(one).ok()).collect());
static PAIR: LazyLock<Option<Pair>> = LazyLock::new(|| "BTC/USD".parse().ok());

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 10 {
        8 => json(bytes),
        9 => definition(bytes),
        known => answer(usize::from(known), bytes),
    }
});

/// Of a venue that is built in.
fn answer(number: usize, bytes: &[u8]) {
    let (Some(venue), Some(pair)) = (VENUES.get(number), PAIR.as_ref()) else { unreachable!() };
    let Ok(read) = venue.read(pair, bytes) else { return };
    assert!(read.price.is_positive());
    assert_eq!(read.price.to_string().parse(), Ok(read.price));
    assert!(read.time_ms.is_none_or(|time_ms| time_ms <= LAST_MS));
    // A number that no float holds is read here, and not there.
    let Ok(plain) = serde_json::from_slice::<Value>(bytes) else { return };
    let only = plain.get("result").and_then(Value::as_object).and_then(|markets| markets.values().next());
    let root = only.filter(|_| venue.definition().id == "kraken").unwrap_or(&plain);
    match root.pointer(PRICES[number]) {
        Some(Value::String(text)) => assert_eq!(text.parse(), Ok(read.price)),
        Some(Value::Number(_)) => {}
        other => panic!("a price was read, and there is {other:?}"),
    }
}

/// What is read is what another reader reads.
fn json(bytes: &[u8]) {
    let plain = serde_json::from_slice::<Value>(bytes);
    match Json::read(bytes, LIMIT_BYTES) {
        Ok(value) => assert!(plain.is_err() || plain.is_ok_and(|plain| same(&value, &plain))),
        Err(JsonError::Malformed) => assert!(plain.is_err()),
        Err(_) => {}
    }
}

fn same(ours: &Json<'_>, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(one), Value::Bool(other)) => one == other,
        (Json::Number(text), Value::Number(_)) => {
            serde_json::from_str::<Value>(text).is_ok_and(|value| value == *theirs)
        }
        (Json::Text(one), Value::String(other)) => one == other,
        (Json::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| same(one, other))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, value)| theirs.get(name.as_ref()).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

/// A definition up to the first zero byte, and an answer behind it.
fn definition(bytes: &[u8]) {
    let Some(pair) = PAIR.as_ref() else { unreachable!() };
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let Ok(definition) = serde_json::from_slice::<Definition>(&bytes[..end]) else { return };
    let host = definition.url.split('/').nth(2).unwrap_or_default().to_owned();
    let Ok(venue) = Venue::new(definition) else { return };
    // Whatever is filled in, the same host is asked, and nothing is left to be filled in.
    let url = venue.url(pair);
    assert_eq!(url.split('/').nth(2), Some(host.as_str()));
    assert!(url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic()));
    if let Ok(read) = venue.read(pair, bytes.get(end + 1..).unwrap_or_default()) {
        assert!(read.price.is_positive());
        assert!(read.volume.is_none_or(|volume| volume >= Decimal::ZERO));
    }
}
