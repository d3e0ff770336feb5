//! Each function of the interfaces is one host call, with all that it was given, and gives all that was answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use std::fmt::Debug;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Instant, SystemTime};

use r3e_runner_api::{FunctionLimits, HostReply};
use r3e_sandbox::{Log, Sender};
use serde_json::{Value, json};

use super::*;

fn desk() -> Desk {
    let (socket, _) = UnixStream::pair().unwrap();
    let limits = FunctionLimits { memory_mib: 1, output_bytes: 1, log_bytes: 1 };
    Desk::new(String::new(), limits, 1, Log::new(Sender::new(socket), 1), (Instant::now(), SystemTime::now()))
}

/// Has a call made that must be `asks`, answers it, and gives what the caller was given.
fn asked<T>(desk: &Desk, asks: &Value, answer: Value, call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    let context = &mut Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(context).is_pending());
    let made = desk.lock().take_call().unwrap();
    assert_eq!(&serde_json::to_value(&made).unwrap(), asks);
    let mut answer = answer;
    answer["op"] = asks["op"].clone();
    desk.lock().answer(Ok(serde_json::from_value(answer).unwrap()));
    match call.as_mut().poll(context) {
        Poll::Ready(given) => given,
        Poll::Pending => panic!("it waits although it was answered"),
    }
}

/// The same of one that gives a value, by how that is shown.
fn given<T: Debug, E: Debug>(
    asks: Value,
    answer: Value,
    call: impl AsyncFnOnce(&mut Desk) -> Result<T, E>,
) -> String {
    let desk = desk();
    let mut callers = desk.clone();
    let given = asked(&desk, &asks, answer, async { call(&mut callers).await });
    format!("{:?}", given.unwrap())
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn secrets_and_values() {
    let shown = given(json!({"op": "secret_get", "name": "N"}), json!({"value": "v"}), async |desk| {
        secrets::Host::get(desk, text("N")).await
    });
    assert_eq!(shown, r#"Some("v")"#);
    given(json!({"op": "secret_set", "name": "N", "value": "v"}), json!({}), async |desk| {
        secrets::Host::set(desk, text("N"), text("v")).await
    });
    let shown = given(json!({"op": "store_get", "key": "k"}), json!({"value": null}), async |desk| {
        store::Host::get(desk, text("k")).await
    });
    assert_eq!(shown, "None");
    given(json!({"op": "store_set", "key": "k", "value": "[1]"}), json!({}), async |desk| {
        store::Host::set(desk, text("k"), text("[1]")).await
    });
    given(json!({"op": "store_set", "key": "k", "value": null}), json!({}), async |desk| {
        store::Host::delete(desk, text("k")).await
    });
}

#[test]
fn events_and_triggers() {
    let asks = json!({"op": "publish", "topic": "t", "data": "{}", "key": "k"});
    let shown = given(asks, json!({"queued": 2, "failed": 1}), async |desk| {
        events::Host::publish(desk, text("t"), text("{}"), Some(text("k"))).await
    });
    assert_eq!(shown, "Published { queued: 2, failed: 1 }");
    let asks = json!({"op": "trigger_create", "definition": "{}"});
    let shown = given(asks, json!({"name": "n", "created": true}), async |desk| {
        trigger::Host::create(desk, text("{}")).await
    });
    assert_eq!(shown, r#"Made { name: "n", created: true }"#);
    let shown =
        given(json!({"op": "trigger_delete", "name": "n"}), json!({"deleted": false}), async |desk| {
            trigger::Host::delete(desk, text("n")).await
        });
    assert_eq!(shown, "false");
}

#[test]
fn prices_and_random_numbers() {
    let price = json!({"feed": "f", "pair": "A/B", "answer": "1.5", "confidence": "0.1", "decimals": 8, "observed_at_ms": 5_000,
        "valid_until_ms": 6_000, "sequence": 7, "is_stale": true});
    let shown = given(json!({"op": "oracle_price", "feed": "f"}), price, async |desk| {
        oracle::Host::get_price(desk, text("f")).await
    });
    let expected = r#"Price { feed: "f", pair: "A/B", answer: "1.5", confidence: "0.1", decimals: 8, observed-at-ms: 5000, valid-until-ms: 6000, sequence: 7, is-stale: true }"#;
    assert_eq!(shown, expected);
    let asks = json!({"op": "oracle_random", "min": 1, "max": 6, "seed": "s"});
    let drawn = json!({"value": 4, "message": "0x01", "output": "0x02", "proof": "0x03", "key": "0x04"});
    let shown = given(asks.clone(), drawn.clone(), async |desk| {
        oracle::Host::get_randomness(desk, 1, 6, Some(text("s"))).await
    });
    let expected = r#"Randomness { value: 4, min: 1, max: 6, message: "0x01", output: "0x02", proof: "0x03", key: "0x04" }"#;
    assert_eq!(shown, expected);
    let shown = given(asks, drawn, async |desk| oracle::Host::get_random(desk, 1, 6, Some(text("s"))).await);
    assert_eq!(shown, "4");
}

#[test]
fn data_and_weather() {
    let asks =
        json!({"op": "oracle_data", "url": "u", "headers": [["a", "b"]], "path": "p", "targets": ["t"]});
    let shown = given(asks, json!({"data": "{}"}), async |desk| {
        let request = oracle::DataRequest {
            url: text("u"),
            headers: vec![(text("a"), text("b"))],
            path: Some(text("p")),
            targets: vec![text("t")],
        };
        oracle::Host::get_custom_data(desk, request).await
    });
    assert_eq!(shown, r#""{}""#);
    let weather = json!({"place": "a", "country": "b", "latitude": "c", "longitude": "d", "time": "e", "temperature_c": "f",
        "humidity_percent": "g", "precipitation_mm": "h", "wind_kmh": "i", "wind_direction_degrees": "j", "weather_code": "k", "data": "l"});
    let shown =
        given(json!({"op": "oracle_weather", "place": "a", "targets": ["t"]}), weather, async |desk| {
            oracle::Host::get_weather(desk, text("a"), vec![text("t")]).await
        });
    let expected = r#"Weather { place: "a", country: Some("b"), latitude: "c", longitude: "d", time: "e", temperature-c: "f", humidity-percent: "g", precipitation-mm: "h", wind-kmh: "i", wind-direction-degrees: "j", weather-code: "k", data: "l" }"#;
    assert_eq!(shown, expected);
}

#[test]
fn range_proofs() {
    // Its keys in the order that the crate's features give them: sorted, or as written.
    let asked = json!({
        "context": "c",
        "numbers": [
            {"value": "42", "min": "18", "max": "150"},
            {"value": "7", "min": "0", "max": "9", "blinding": "0x01"},
        ],
    })
    .to_string();
    let made = r#"{"proof":{"owner":"o"},"blindings":["0x02","0x01"]}"#;
    let shown =
        given(json!({"op": "zk_prove_ranges", "asked": asked}), json!({"made": made}), async |desk| {
            let number = |value, min, max, blinding| zk::HiddenNumber { value, min, max, blinding };
            let numbers = vec![number(42, 18, 150, None), number(7, 0, 9, Some(text("0x01")))];
            zk::Host::create_range_proof(desk, numbers, Some(text("c"))).await
        });
    assert_eq!(shown, r#"ProvedRanges { proof: "{\"owner\":\"o\"}", blindings: ["0x02", "0x01"] }"#);
    let shown =
        given(json!({"op": "zk_verify_ranges", "proof": "{}"}), json!({"holds": true}), async |desk| {
            zk::Host::verify_range_proof(desk, text("{}")).await
        });
    assert_eq!(shown, "true");
}

#[test]
fn proofs_of_circuits() {
    let asked = r#"{"key":{"b": 1,"a":2},"signals":["33"],"proof":[]}"#;
    let ask = async |desk: &mut Desk| {
        zk::Host::verify_proof(desk, text(r#"{"b": 1,"a":2}"#), vec![text("33")], text("[]")).await
    };
    let shown = given(json!({"op": "zk_verify_proof", "asked": asked}), json!({"holds": true}), ask);
    assert_eq!(shown, "true");
    // No text can bring fields of its own.
    let mut desk = desk();
    let smuggled = pin!(zk::Host::verify_proof(&mut desk, text("{}"), Vec::new(), text("{},\"key\":{}")));
    let Poll::Ready(refused) = smuggled.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it was asked")
    };
    assert!(matches!(refused, Err(HostError { code: HostErrorCode::Invalid, .. })));
}

#[test]
fn contracts_and_transactions() {
    let asks = json!({"op": "chain_read", "network": "n", "contract": "c", "method": "m", "args": "[]", "data": null, "confirmations": 3});
    let shown = given(asks, json!({"height": 9, "values": "[1]", "data": "0x"}), async |desk| {
        let request = chain::ReadRequest {
            network: text("n"),
            contract: text("c"),
            method: Some(text("m")),
            args: text("[]"),
            data: None,
            confirmations: 3,
        };
        chain::Host::read(desk, request).await
    });
    assert_eq!(shown, r#"Answer { height: 9, values: "[1]", data: Some("0x") }"#);
    let sent = json!({"name": "n", "stage": "ended", "outcome": "included", "succeeded": true, "hash": "h", "height": 9, "reason": "r"});
    let expected = r#"SentTransaction { name: "n", stage: "ended", outcome: Some("included"), succeeded: Some(true), hash: Some("h"), height: Some(9), reason: Some("r") }"#;
    let transaction = chain::Transaction {
        wallet: text("w"),
        network: text("n"),
        to: text("t"),
        method: None,
        args: text("[]"),
        data: Some(text("0x")),
        value: None,
        gas_limit: None,
        fee_limit: text("5"),
        scope: None,
        timeout_ms: None,
        key: text("k"),
    };
    let mut asks = json!({"op": "chain_send", "wallet": "w", "network": "n", "to": "t", "method": null, "args": "[]", "data": "0x",
        "value": "0", "gas_limit": 0, "fee_limit": "5", "scope": null, "timeout_ms": null, "key": "k"});
    let least = transaction.clone();
    let shown = given(asks.clone(), sent.clone(), async |desk| chain::Host::send(desk, least).await);
    assert_eq!(shown, expected);
    for (scope, named) in
        [(chain::SignatureScope::None, "none"), (chain::SignatureScope::CalledByEntry, "called_by_entry")]
    {
        let all = chain::Transaction {
            method: Some(text("m")),
            value: Some(text("3")),
            gas_limit: Some(21_000),
            scope: Some(scope),
            timeout_ms: Some(60_000),
            ..transaction.clone()
        };
        for (field, value) in [
            ("method", json!("m")),
            ("value", json!("3")),
            ("gas_limit", json!(21_000)),
            ("scope", json!(named)),
            ("timeout_ms", json!(60_000)),
        ] {
            asks[field] = value;
        }
        given(asks.clone(), sent.clone(), async |desk| chain::Host::send(desk, all).await);
    }
    let shown = given(json!({"op": "chain_sent", "name": "n"}), sent, async |desk| {
        chain::Host::sent(desk, text("n")).await
    });
    assert_eq!(shown, expected);
}

#[test]
fn the_web_and_the_attestation() {
    let asks =
        json!({"op": "fetch", "url": "u", "method": "PUT", "headers": [["a", "b"]], "body_base64": "AP8="});
    let answer = json!({"status": 201, "headers": [["c", "d"]], "body_base64": "/wA="});
    let shown = given(asks, answer, async |desk| {
        let (headers, body) = (vec![(text("a"), text("b"))], Some(vec![0, 255]));
        http::Host::fetch(desk, http::Request { url: text("u"), method: text("PUT"), headers, body }).await
    });
    assert_eq!(shown, r#"Response { status: 201, headers: [("c", "d")], body: [255, 0] }"#);
    let asks = json!({"op": "attestation", "data_base64": "AP8="});
    let shown = given(asks, json!({"document_base64": "/wA="}), async |desk| {
        tee::Host::get_attestation(desk, Some(vec![0, 255])).await
    });
    assert_eq!(shown, "[255, 0]");
}

#[test]
fn refusals_keep_their_code_and_what_is_too_long_is_not_asked() {
    let desk = desk();
    let mut callers = desk.clone();
    let all = [
        "denied",
        "expired",
        "invalid",
        "not_found",
        "too_large",
        "limit_exceeded",
        "timed_out",
        "unavailable",
        "conflict",
        "reverted",
        "unconfirmed",
        "internal",
    ];
    for code in all {
        let context = &mut Context::from_waker(Waker::noop());
        let mut call = pin!(store::Host::get(&mut callers, text("k")));
        assert!(call.as_mut().poll(context).is_pending());
        let refused: HostReply = Err(serde_json::from_value(json!({"code": code, "message": "m"})).unwrap());
        desk.lock().answer(refused);
        let Poll::Ready(Err(error)) = call.as_mut().poll(context) else { panic!("{code}") };
        let shown = format!("{:?}", error.code).to_lowercase();
        assert!(shown.ends_with(&format!("::{}", code.replace('_', ""))), "{code}: {shown}");
        assert_eq!(error.message, "m");
    }
    let long = vec![0; MAX_HOST_CALL_BYTES + 1];
    let mut call = pin!(tee::Host::get_attestation(&mut callers, Some(long)));
    let Poll::Ready(Err(error)) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it was asked")
    };
    assert!(matches!(error.code, HostErrorCode::TooLarge));
}
