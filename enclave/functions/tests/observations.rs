//! What a function is answered is signed as it was, or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::atomic::Ordering;

use appliance::web::{RATES, WEATHER};
use appliance::{ALICE, Appliance, BOB, NOW_S, ample, function, granted, output, seal};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_functions::limits::MAX_OBSERVATIONS;
use r3e_proto::api::data::SignedObservation;
use r3e_proto::api::functions::{Deploy, Limits};
use r3e_proto::api::wallets::Hash32;
use r3e_proto::observation::{Observation, request_hash};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const ASKS: &str = "export default async (event) => {
    try { return await (event.place ? r3e.oracle.getWeather(event.place, event) : r3e.oracle.getCustomData(event)); }
    catch (error) { return `${error.name} ${error.code ?? error.message}`; }
};";
const EVM: &str = "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const NEO: &str = "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf";

async fn asked(appliance: &Appliance, ask: &Value) -> Value {
    let told = output(&appliance.invoke("f", &ask.to_string()).await.unwrap());
    serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"))
}

fn sha256(bytes: impl AsRef<[u8]>) -> Hash32 {
    Hash32(Sha256::digest(bytes).into())
}

#[tokio::test]
async fn an_answer_is_signed_as_it_was() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(ASKS, &[], &["api.example.com"])).await;
    let url = "https://api.example.com/rates?of=EUR";
    let seen = Observation {
        function: "f".to_owned(),
        url: url.to_owned(),
        path: "data.rate".to_owned(),
        value: "1.0830".to_owned(),
        status: 200,
        observed_at_s: NOW_S,
        certificate: Hash32(appliance.certificate),
        response_hash: sha256(RATES),
        request_hash: request_hash("GET", url, []),
    };
    let ask = json!({ "url": format!("{}#part", url.replace("example.com/", "EXAMPLE.com:443/")), "path": "data.rate" });
    let told: SignedObservation = serde_json::from_value(asked(&appliance, &ask).await).unwrap();
    let mut expected = seal(ALICE).sign_observation(ALICE, seen.clone(), &[]).unwrap();
    expected.body = Some(RATES.to_owned());
    assert_eq!(told, expected, "whom it asked is in the form in which it was sent");
    assert_ne!(told.signatures, seal(BOB).sign_observation(BOB, seen.clone(), &[]).unwrap().signatures);

    // For contracts, and with headers, which stand nowhere.
    let headers = [("x-key", "sesame"), ("accept", "a"), ("accept", "b")];
    let ask = json!({ "url": url, "path": "data.rate", "headers": headers, "targets": [EVM, NEO] });
    let told = asked(&appliance, &ask).await;
    assert!(!told.to_string().contains("sesame"));
    let bytes = headers.map(|(name, value)| (name, value.as_bytes()));
    let with_headers = Observation { request_hash: request_hash("GET", url, bytes), ..seen };
    let targets = [EVM.parse().unwrap(), NEO.parse().unwrap()];
    let signed = seal(ALICE).sign_observation(ALICE, with_headers, &targets).unwrap();
    assert_eq!(told["signatures"], json!(signed.signatures));
    let echoed = asked(
        &appliance,
        &json!({ "url": "https://api.example.com/echo", "headers": { "X-Key": "caf\u{e9}" } }),
    )
    .await;
    assert!(
        STANDARD
            .decode(echoed["body_base64"].as_str().unwrap())
            .unwrap()
            .windows(4)
            .any(|at| at == b"caf\xe9")
    );
}

#[tokio::test]
async fn a_value_is_what_stands_there() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(ASKS, &[], &["api.example.com"])).await;
    let most = "1".repeat(256);
    for (at, path, value) in [
        ("rates", "data.rate", "1.0830"),
        ("rates", "data.name", "café"),
        ("rates", "data.ok", "true"),
        ("rates", "*.list[0].*", "-2e3"),
        ("list", "[0][0]", "7"),
        ("long", "most", &most),
    ] {
        let told =
            asked(&appliance, &json!({ "url": format!("https://api.example.com/{at}"), "path": path })).await;
        assert_eq!((&told["value"], &told["path"]), (&json!(value), &json!(path)));
    }
    // Without a path, an answer need not be JSON.
    for (at, status, body) in [("html", 200, "<html><body>1.0830</body></html>"), ("empty", 204, "")] {
        let told = asked(&appliance, &json!({ "url": format!("https://api.example.com/{at}") })).await;
        assert_eq!((&told["value"], &told["path"]), (&json!(""), &json!("")));
        assert_eq!((&told["status"], &told["body"]), (&json!(status), &json!(body)));
        assert_eq!(told["response_hash"], json!(sha256(body)));
    }
    let told = asked(&appliance, &json!({ "url": "https://api.example.com/bytes" })).await;
    assert_eq!((told.get("body"), &told["body_base64"]), (None, &json!("AP8=")));
    assert_eq!(told["response_hash"], json!(sha256([0, 255])));
    // More than a function may return.
    let most = "export default async ({ url }) => (await r3e.oracle.getCustomData({ url })).body.length;";
    appliance.deploy("f", granted(most, &[], &["api.example.com"])).await;
    let told = asked(&appliance, &json!({ "url": "https://api.example.com/most" })).await;
    assert_eq!(told, json!(256 * 1024));
}

#[tokio::test]
async fn what_is_no_answer_is_not_signed() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(ASKS, &[], &["api.example.com"])).await;
    for (at, path, code) in [
        ("fails", "data.rate", "unavailable"),
        ("moved", "data.rate", "unavailable"),
        ("part", "data.rate", "unavailable"),
        ("html", "data.rate", "unavailable"),
        ("bytes", "data.rate", "unavailable"),
        ("twice", "rate", "unavailable"),
        ("deep", "[0]", "too_large"),
        ("rates", "data.nothing", "not_found"),
        ("rates", "data.none", "not_found"),
        ("rates", "data.list", "not_found"),
        ("rates", "data", "not_found"),
        ("long", "rate", "too_large"),
        ("more", "rate", "too_large"),
        ("rates", "data.", "invalid"),
        ("rates", "data.{pair}", "invalid"),
    ] {
        let ask = json!({ "url": format!("https://api.example.com/{at}"), "path": path });
        assert_eq!(asked(&appliance, &ask).await, json!(format!("HostError {code}")), "{at} {path}");
    }
    assert_eq!(
        asked(&appliance, &json!({ "url": "https://api.example.com/more" })).await,
        json!("HostError too_large"),
        "without a path, too"
    );
    let connections = appliance.connections.load(Ordering::SeqCst);
    let url = "https://api.example.com/rates";
    for (ask, code) in [
        (json!({ "url": url, "targets": [EVM, EVM, EVM, EVM, EVM] }), "invalid"),
        (
            json!({ "url": url, "targets": ["eip155:0:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"] }),
            "invalid",
        ),
        (json!({ "url": url, "headers": { "host": "other.example" } }), "invalid"),
        (json!({ "url": format!("{url}?{}", "x".repeat(2_048)) }), "too_large"),
        (json!({ "url": "http://api.example.com/rates" }), "invalid"),
        (json!({ "url": "https://127.0.0.1/rates" }), "invalid"),
        (json!({ "url": "https://other.example.com/rates" }), "denied"),
        (json!({ "url": "https://api.example.com:8443/rates" }), "denied"),
    ] {
        assert_eq!(asked(&appliance, &ask).await, json!(format!("HostError {code}")), "{ask}");
    }
    for ask in [
        json!(null),
        json!({}),
        json!({ "url": 7 }),
        json!({ "url": url, "path": "" }),
        json!({ "url": url, "targets": EVM }),
        json!({ "url": url, "headers": { "a b": "c" } }),
    ] {
        assert!(asked(&appliance, &ask).await.as_str().unwrap().starts_with("TypeError"), "{ask}");
    }
    assert_eq!(appliance.connections.load(Ordering::SeqCst), connections, "nobody was asked");

    appliance.deploy("f", function(ASKS)).await;
    assert_eq!(asked(&appliance, &json!({ "url": url })).await, json!("HostError denied"));
    appliance.deploy("unsigned", granted(ASKS, &[], &["api.example.com"])).await;
    let unsigned = appliance.invoke("unsigned", &json!({ "url": url }).to_string()).await.unwrap();
    assert_eq!(output(&unsigned), r#""HostError unavailable""#, "and not in the appliance's words");
}

#[tokio::test]
async fn an_answer_counts_as_a_fetch_and_there_are_few() {
    let appliance = Appliance::new().await;
    appliance.deploy("f", granted(ASKS, &[], &["api.example.com"])).await;
    let ask = json!({ "url": "https://api.example.com/rates", "headers": { "x": "y".repeat(1_000) } });
    let completed = appliance.invoke("f", &ask.to_string()).await.unwrap();
    assert!((1_000..1_100).contains(&completed.usage.bytes_out), "{:?}", completed.usage);
    assert_eq!(completed.usage.host_calls, 1);
    let many = "export default async () => { let n = 0; try { for (;; n++) \
                await r3e.oracle.getCustomData({ url: 'https://api.example.com/list' }); } catch (error) { return [n, error.code]; } };";
    let limits = Limits { host_calls: 2 * MAX_OBSERVATIONS, ..ample() };
    let told = appliance.output(Deploy { limits, ..granted(many, &[], &["api.example.com"]) }, "1").await;
    assert_eq!(told, format!("[{MAX_OBSERVATIONS},\"limit_exceeded\"]"));
}

#[tokio::test]
async fn the_weather_at_a_place() {
    let appliance = Appliance::new().await;
    let hosts = ["geocoding-api.open-meteo.com", "api.open-meteo.com"];
    appliance.deploy("f", granted(ASKS, &[], &hosts)).await;
    let mut told = asked(&appliance, &json!({ "place": "New York", "targets": [NEO] })).await;
    let data: SignedObservation = serde_json::from_value(told["data"].take()).unwrap();
    assert_eq!(
        told,
        json!({
            "place": "New York", "country": "United States", "latitude": "40.71427", "longitude": "-74.00597",
            "time": "2026-01-15T00:00", "temperatureC": "-3.4", "humidityPercent": "57", "precipitationMm": "0.10",
            "windKmh": "11.9", "windDirectionDegrees": "312", "weatherCode": "71", "data": null,
        })
    );
    assert_eq!((data.value.as_str(), data.path.as_str()), ("-3.4", "current.temperature_2m"));
    assert_eq!((data.body.as_deref(), data.response_hash), (Some(WEATHER), sha256(WEATHER)));
    assert!(
        data.url.starts_with("https://api.open-meteo.com/v1/forecast?latitude=40.71427&longitude=-74.00597&")
    );
    assert_eq!(
        seal(ALICE).sign_observation(ALICE, data.observation(), &[NEO.parse().unwrap()]).unwrap().signatures,
        data.signatures
    );

    for (place, code) in [
        ("Nowhere", "not_found"),
        // Coordinates that would say more in a URL than numbers do, and other units.
        ("Odd", "unavailable"),
        ("South", "unavailable"),
        (&*"x".repeat(129), "invalid"),
    ] {
        assert_eq!(asked(&appliance, &json!({ "place": place })).await, json!(format!("HostError {code}")));
    }
    for one in hosts {
        appliance.deploy("f", granted(ASKS, &[], &[one])).await;
        assert_eq!(asked(&appliance, &json!({ "place": "New York" })).await, json!("HostError denied"));
    }
}
