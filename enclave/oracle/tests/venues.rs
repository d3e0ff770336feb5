//! Venues: each that is built in, against an answer of its documented shape; definitions of one's own; answers of every bad kind.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_oracle::decimal::{Decimal, DecimalError};
use r3e_oracle::json::JsonError;
use r3e_oracle::limits::{DEFAULT_ANSWER_BYTES, MAX_ANSWER_BYTES};
use r3e_oracle::venue::{
    Definition, DefinitionError, Market, Observation, Pair, ReadError, ValueError, Venue, built_in,
};

fn pair(text: &str) -> Pair {
    text.parse().unwrap()
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn definition(id: &str) -> Definition {
    built_in().into_iter().find(|one| one.id == id).unwrap()
}

fn venue(id: &str) -> Venue {
    Venue::new(definition(id)).unwrap()
}

/// A venue of the plainest answer.
fn plain() -> Definition {
    let text =
        r#"{"id":"plain","url":"https://a.example/{pair}","pair":"{BASE}{QUOTE}","price":"p","weight":1}"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_venue_that_is_built_in() {
    let told = [
        (
            "binance",
            include_str!("answers/binance.json"),
            "64385.120002",
            Some("571524480.153"),
            Some(1_700_000_000_040),
        ),
        ("bitstamp", include_str!("answers/bitstamp.json"), "64390", None, Some(1_700_000_000_000)),
        ("coinbase", include_str!("answers/coinbase.json"), "64390.48", None, Some(1_699_999_999_957)),
        ("gate", include_str!("answers/gate.json"), "64387.4", Some("422788266.37346837563"), None),
        (
            "gemini",
            include_str!("answers/gemini.json"),
            "64388.65",
            Some("142331477.463379586263"),
            Some(1_699_999_980_000),
        ),
        ("kraken", include_str!("answers/kraken.json"), "64391.2", None, None),
        (
            "kucoin",
            include_str!("answers/kucoin.json"),
            "64388.9",
            Some("146984946.157790431"),
            Some(1_699_999_999_660),
        ),
        ("okx", include_str!("answers/okx.json"), "64389.9", None, Some(1_699_999_999_385)),
    ];
    let ids: Vec<_> = built_in().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, told.map(|(id, ..)| id.to_owned()));
    for (id, answer, price, volume, time_ms) in told {
        let read = venue(id)
            .read(&pair("BTC/USD"), answer.as_bytes())
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((read.price, read.time_ms), (number(price), time_ms), "{id}");
        let volume = volume.map(number);
        assert!(volume.is_none() || read.volume == volume, "{id}: {:?}", read.volume);
    }
    // Those that tell the volume in the base have it in the quote.
    let volume = |id: &str, answer: &str| venue(id).read(&pair("BTC/USD"), answer.as_bytes()).unwrap().volume;
    let of_base = number("213.268011").checked_mul(number("64390"));
    assert_eq!(volume("bitstamp", include_str!("answers/bitstamp.json")), of_base);
    let of_base = number("2222").checked_mul(number("64389.9"));
    assert_eq!(volume("okx", include_str!("answers/okx.json")), of_base);
}

#[test]
fn where_they_are_asked() {
    for (id, url) in [
        ("binance", "https://api.binance.com/api/v3/ticker/24hr?symbol=BTCUSD"),
        ("bitstamp", "https://www.bitstamp.net/api/v2/ticker/btcusd/"),
        ("coinbase", "https://api.exchange.coinbase.com/products/BTC-USD/ticker"),
        ("gate", "https://api.gateio.ws/api/v4/spot/tickers?currency_pair=BTC_USD"),
        ("gemini", "https://api.gemini.com/v1/pubticker/btcusd"),
        ("kraken", "https://api.kraken.com/0/public/Ticker?pair=XBTUSD"),
        ("kucoin", "https://api.kucoin.com/api/v1/market/stats?symbol=BTC-USD"),
        ("okx", "https://www.okx.com/api/v5/market/ticker?instId=BTC-USD"),
    ] {
        assert_eq!(venue(id).url(&pair("BTC/USD")), url);
    }
}

#[test]
fn another_market_answers_for_a_pair_if_the_definition_says_so() {
    let mut definition = definition("binance");
    let market = Market { quote: Some("USDT".into()), ..Market::default() };
    definition.markets.insert(pair("BTC/USD"), market);
    let venue = Venue::new(definition).unwrap();
    assert_eq!(venue.url(&pair("BTC/USD")), "https://api.binance.com/api/v3/ticker/24hr?symbol=BTCUSDT");
    let answer = include_str!("answers/binance.json");
    // It is about BTCUSD, which is not the market that was asked for.
    let read = venue.read(&pair("BTC/USD"), answer.as_bytes());
    assert_eq!(read, Err(ReadError::Unexpected { path: "symbol".into(), expected: "BTCUSDT".into() }));
    assert!(venue.read(&pair("BTC/USD"), answer.replace("BTCUSD", "BTCUSDT").as_bytes()).is_ok());
    assert!(venue.read(&pair("ETH/BTC"), answer.replace("BTCUSD", "ETHBTC").as_bytes()).is_ok());
}

#[test]
fn an_inverse_market() {
    let text = r#"{"id":"plain","url":"https://a.example/{pair}","pair":"{BASE}{QUOTE}","price":"p","weight":1,
        "volume":{"path":"v","of":"base"},"markets":{"USD/EUR":{"inverse":true},"USD/XAU":{"inverse":true,"pair":"gold"}}}"#;
    let mut definition: Definition = serde_json::from_str(text).unwrap();
    let read = |definition: &Definition| {
        let venue = Venue::new(definition.clone()).unwrap();
        assert_eq!(venue.url(&pair("USD/EUR")), "https://a.example/EURUSD");
        assert_eq!(venue.url(&pair("USD/XAU")), "https://a.example/gold");
        assert_eq!(venue.url(&pair("EUR/USD")), "https://a.example/EURUSD");
        venue.read(&pair("USD/EUR"), br#"{"p":"1.25","v":"1000"}"#).unwrap()
    };
    // 1,000 euros: the market's base is the pair's quote.
    let expected = |volume| Observation { price: number("0.8"), volume: Some(number(volume)), time_ms: None };
    assert_eq!(read(&definition), expected("1000"));
    // 1,000 dollars.
    definition.volume.as_mut().unwrap().of = r3e_oracle::venue::VolumeOf::Quote;
    assert_eq!(read(&definition), expected("800"));
    let venue = Venue::new(definition).unwrap();
    let long = br#"{"p":"12345678901234567890123","v":"1"}"#;
    let error = ReadError::Value { field: "price", error: ValueError::Inverse };
    assert_eq!(venue.read(&pair("USD/EUR"), long), Err(error));
}

#[test]
fn times_in_every_unit() {
    for (unit, text, time_ms) in [
        ("s", "1700000000", Some(1_700_000_000_000)),
        ("s", "1700000000.1239", Some(1_700_000_000_123)),
        ("s", "1.7e9", Some(1_700_000_000_000)),
        ("ms", "\"1700000000123\"", Some(1_700_000_000_123)),
        ("us", "1700000000123456", Some(1_700_000_000_123)),
        ("ns", "1700000000123456789", Some(1_700_000_000_123)),
        ("rfc3339", "\"2023-11-14T22:13:20Z\"", Some(1_700_000_000_000)),
        ("rfc3339", "\"2023-11-14T23:13:20.5+01:00\"", Some(1_700_000_000_500)),
        ("ms", "0", Some(0)),
        ("ms", "-1", None),
        ("ms", "\"\"", None),
        ("ms", "null", None),
        ("ms", "253402300800000", None),
        ("s", "1700000000123", None),
        ("s", "99999999999999999999999999999999999999", None),
        ("rfc3339", "\"1969-12-31T23:59:59Z\"", None),
        ("rfc3339", "\"2023-11-14\"", None),
        ("rfc3339", "\"yesterday\"", None),
        ("rfc3339", "1700000000", None),
    ] {
        let mut definition = plain();
        definition.time = serde_json::from_value(serde_json::json!({ "path": "t", "unit": unit })).unwrap();
        let body = format!(r#"{{"p":1,"t":{text}}}"#);
        let read = Venue::new(definition).unwrap().read(&pair("BTC/USD"), body.as_bytes());
        assert_eq!(read.ok().and_then(|read| read.time_ms), time_ms, "{unit} {text}");
    }
}

#[test]
fn answers_that_say_nothing() {
    let venue = Venue::new(plain()).unwrap();
    let read = |body: &[u8]| venue.read(&pair("BTC/USD"), body).unwrap_err();
    let wrong = |error| ReadError::Value { field: "price", error };
    for (body, error) in [
        ("<html><body>502 Bad Gateway</body></html>", ReadError::Json(JsonError::Malformed)),
        ("", ReadError::Json(JsonError::Malformed)),
        (r#"{"p":NaN}"#, ReadError::Json(JsonError::Malformed)),
        (r#"{"p":1,"p":2}"#, ReadError::Json(JsonError::Repeated)),
        ("{}", ReadError::Missing { field: "price" }),
        ("[]", ReadError::Missing { field: "price" }),
        (r#"{"p":null}"#, wrong(ValueError::Kind)),
        (r#"{"p":[1]}"#, wrong(ValueError::Kind)),
        (r#"{"p":true}"#, wrong(ValueError::Kind)),
        (r#"{"p":"NaN"}"#, wrong(ValueError::Number(DecimalError::Form))),
        (r#"{"p":"Infinity"}"#, wrong(ValueError::Number(DecimalError::Form))),
        (r#"{"p":"64,385.12"}"#, wrong(ValueError::Number(DecimalError::Form))),
        (r#"{"p":""}"#, wrong(ValueError::Number(DecimalError::Form))),
        (r#"{"p":-1}"#, wrong(ValueError::Number(DecimalError::Sign))),
        (r#"{"p":"+1"}"#, wrong(ValueError::Number(DecimalError::Sign))),
        (r#"{"p":1e999}"#, wrong(ValueError::Number(DecimalError::TooLarge))),
        (r#"{"p":0.0}"#, wrong(ValueError::Zero)),
        (r#"{"p":"0e5"}"#, wrong(ValueError::Zero)),
    ] {
        assert_eq!(read(body.as_bytes()), error, "{body}");
    }
    let long = vec![b' '; 10 * 1024 * 1024];
    let limit_bytes = DEFAULT_ANSWER_BYTES;
    assert_eq!(read(&long), ReadError::Json(JsonError::TooLong { limit_bytes }));
    assert_eq!(read(b"{\"p\":\"\xff\"}"), ReadError::Json(JsonError::Malformed));
    assert_eq!(read("[".repeat(1_000).as_bytes()), ReadError::Json(JsonError::TooDeep));
    // A venue's own refusal, in its documented form.
    for (id, body) in [
        ("binance", r#"{"code":-1121,"msg":"Invalid symbol."}"#),
        ("bitstamp", r#"{"status":"error","reason":"Invalid currency pair"}"#),
        ("coinbase", r#"{"message":"NotFound"}"#),
        ("gate", r#"{"label":"INVALID_CURRENCY_PAIR","message":"Invalid currency pair"}"#),
        ("gate", "[]"),
        (
            "gemini",
            r#"{"result":"error","reason":"Bad Request","message":"Supplied value 'x' is not a valid symbol"}"#,
        ),
        ("kraken", r#"{"error":["EQuery:Unknown asset pair"]}"#),
        ("kraken", r#"{"error":[],"result":{"A":{"c":["1"],"v":["1","1"]},"B":{"c":["2"],"v":["1","1"]}}}"#),
        ("kucoin", r#"{"code":"400100","msg":"symbol not exists"}"#),
        ("okx", r#"{"code":"51001","data":[],"msg":"Instrument ID doesn't exist"}"#),
    ] {
        let refused = self::venue(id).read(&pair("BTC/USD"), body.as_bytes());
        assert!(
            matches!(refused, Err(ReadError::Missing { .. } | ReadError::Unexpected { .. })),
            "{id}: {refused:?}"
        );
    }
}

#[test]
fn definitions_that_are_refused() {
    let refused = |change: &dyn Fn(&mut Definition)| {
        let mut definition = plain();
        change(&mut definition);
        Venue::new(definition).unwrap_err()
    };
    assert_eq!(refused(&|one| one.id = "Plain".into()), DefinitionError::Id);
    assert_eq!(refused(&|one| one.id = String::new()), DefinitionError::Id);
    for url in [
        "http://a.example/{pair}",
        "https://{pair}.example/",
        "https://a.example",
        "https://u:p@a.example/{pair}",
        "https://A.example/{pair}",
        "https:///{pair}",
        "https://a.example/{pair}#x",
        "https://a.example/{pair} ",
        "https://a.example/{pair",
        "https://a.example/{PAIR}",
        "https://a.example/all",
        &format!("https://a.example/{{pair}}{}", "x".repeat(512)),
    ] {
        assert!(matches!(refused(&|one| one.url = url.into()), DefinitionError::Url { .. }), "{url}");
    }
    assert!(matches!(refused(&|one| one.pair = "{pair}".into()), DefinitionError::Text { .. }));
    for pair in ["", "{BASE} {QUOTE}", "{BASE}/{QUOTE}", "{BASE}?{QUOTE}", "{BASE}ä"] {
        assert!(matches!(refused(&|one| one.pair = pair.into()), DefinitionError::Text { .. }), "{pair}");
    }
    assert!(matches!(refused(&|one| one.price = "a..b".into()), DefinitionError::Path { .. }));
    assert!(matches!(refused(&|one| one.weight = 0), DefinitionError::Range { .. }));
    assert!(matches!(refused(&|one| one.max_bytes = MAX_ANSWER_BYTES + 1), DefinitionError::Range { .. }));
    let renamed = |one: &mut Definition| drop(one.assets.insert("BTC".into(), "../x".into()));
    assert!(matches!(refused(&renamed), DefinitionError::Asset { .. }));
    let market = Market { base: Some("x&y".into()), ..Market::default() };
    let other = |one: &mut Definition| drop(one.markets.insert(pair("BTC/USD"), market.clone()));
    assert!(matches!(refused(&other), DefinitionError::Asset { .. }));
    let market = Market { pair: Some("a/../b".into()), ..Market::default() };
    let other = |one: &mut Definition| drop(one.markets.insert(pair("BTC/USD"), market.clone()));
    assert!(matches!(refused(&other), DefinitionError::Text { .. }));
}

#[test]
fn definitions_are_data() {
    let text = r#"
        id = "exchange"
        url = "https://api.exchange.example/v2/{base}-{quote}"
        pair = "{BASE}{QUOTE}"
        price = "data.{pair}.close[0]"
        weight = 80
        volume = { path = "data.{pair}.turnover", of = "quote" }
        time = { path = "at", unit = "rfc3339" }
        assets = { BTC = "XBT" }

        [markets."BTC/USD"]
        quote = "USDC"
    "#;
    let definition: Definition = toml::from_str(text).unwrap();
    let json = serde_json::to_string(&definition).unwrap();
    assert_eq!(serde_json::from_str::<Definition>(&json).unwrap(), definition);
    let venue = Venue::new(definition).unwrap();
    assert_eq!(venue.url(&pair("BTC/USD")), "https://api.exchange.example/v2/xbt-usdc");
    let body = br#"{"data":{"XBTUSDC":{"close":[1.5e4],"turnover":7}},"at":"2023-11-14T22:13:20Z"}"#;
    let read = venue.read(&pair("BTC/USD"), body).unwrap();
    assert_eq!((read.price, read.volume), (number("15000"), Some(number("7"))));
    assert!(toml::from_str::<Definition>(&format!("secret = 1\n{text}")).is_err(), "an unknown member");
}
