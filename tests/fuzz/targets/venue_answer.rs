//! What a venue or another endpoint answers, a definition of a venue, and a path into an answer. The first byte says how it is read.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use r3e_oracle::decimal::Decimal;
use r3e_oracle::json::{Json, JsonError};
use r3e_oracle::venue::{Definition, Pair, ValuePath, Venue, built_in};
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
    match kind % 11 {
        8 => json(bytes),
        9 => definition(bytes),
        10 => pick(bytes),
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

/// A path up to the first zero byte, and an answer behind it: what is picked is what another reader finds there.
fn pick(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let Ok(path) = std::str::from_utf8(&bytes[..end]) else { return };
    let Some(way) = ValuePath::read(path) else { return };
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()) && path.len() <= 128);
    let body = bytes.get(end + 1..).unwrap_or_default();
    let Ok(answer) = Json::read(body, LIMIT_BYTES) else { return };
    let Ok(picked) = way.pick(&answer) else { return };
    let Ok(plain) = serde_json::from_slice::<Value>(body) else { return };
    let mut found = &plain;
    for step in path.replace('[', ".[").split('.').filter(|step| !step.is_empty()) {
        found = match step.strip_prefix('[').and_then(|step| step.strip_suffix(']')) {
            Some(at) => &found[at.parse::<usize>().expect("an index")],
            None if step == "*" => {
                found.as_object().and_then(|all| all.values().next()).expect("an only member")
            }
            None => &found[step],
        };
    }
    match found {
        Value::String(text) => assert_eq!(picked, text.as_str()),
        Value::Number(_) => assert_eq!(serde_json::from_str::<Value>(&picked).ok().as_ref(), Some(found)),
        Value::Bool(yes) => assert_eq!(picked, yes.to_string()),
        other => panic!("{picked:?} was picked of {other}"),
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
