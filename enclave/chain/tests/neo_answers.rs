//! What Neo nodes say of stack items and of running a transaction, and what nobody should say.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_chain::neo::{Item, ItemError, read_application_log};
use r3e_chain::rpc::AnswerError;
use r3e_neo::Hash256;
use serde_json::{Value, json};

fn item(value: &Value) -> Result<Item, ItemError> {
    Item::read(value)
}

#[test]
fn items_of_every_type() {
    let value = json!({ "type": "Array", "value": [
        { "type": "Any" },
        { "type": "Any", "value": null },
        { "type": "Boolean", "value": true },
        { "type": "Integer", "value": "-5" },
        { "type": "ByteString", "value": "AQI=" },
        { "type": "Buffer", "value": "" },
        { "type": "Struct", "value": [] },
        { "type": "Map", "value": [{ "key": { "type": "Integer", "value": "1" }, "value": { "type": "Any" } }] },
        { "type": "Pointer", "value": 7 },
        { "type": "InteropInterface", "id": "x" },
    ] });
    let read = item(&value).unwrap();
    let expected = Item::Array(vec![
        Item::Null,
        Item::Null,
        Item::Boolean(true),
        Item::Integer((-5).into()),
        Item::Bytes(vec![1, 2]),
        Item::Buffer(Vec::new()),
        Item::Struct(Vec::new()),
        Item::Map(vec![(Item::Integer(1.into()), Item::Null)]),
        Item::Pointer(7),
        Item::Interop,
    ]);
    assert_eq!(read, expected);
    // What is shown is read as the same.
    assert_eq!(item(&read.to_json()), Ok(expected));
}

#[test]
fn items_that_are_none() {
    for wrong in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "type": "Array" }),
        json!({ "type": "Array", "value": {} }),
        json!({ "type": "Any", "value": 1 }),
        json!({ "type": "Boolean", "value": "true" }),
        json!({ "type": "Integer", "value": 5 }),
        json!({ "type": "Integer", "value": "0x5" }),
        json!({ "type": "Integer", "value": "1".repeat(1_000) }),
        json!({ "type": "ByteString", "value": "AQI" }),
        json!({ "type": "ByteString", "value": "AQJ=" }),
        json!({ "type": "Map", "value": [{ "key": { "type": "Any" } }] }),
        json!({ "type": "Pointer", "value": -1 }),
        json!({ "type": "Unknown", "value": 1 }),
    ] {
        assert!(matches!(item(&wrong), Err(ItemError::Form { .. })), "{wrong}");
    }
    let mut deep = json!({ "type": "Any" });
    for _ in 0..40 {
        deep = json!({ "type": "Array", "value": [deep] });
    }
    assert!(matches!(item(&deep), Err(ItemError::TooMuch { .. })));
    let wide = json!({ "type": "Array", "value": vec![json!({ "type": "Any" }); 2_048] });
    assert!(matches!(item(&wide), Err(ItemError::TooMuch { .. })));
    let long = json!({ "type": "ByteString", "value": "AAAA".repeat(50_000) });
    assert!(matches!(item(&long), Err(ItemError::TooMuch { .. })));
}

const TRANSACTION: &str = "0x0f58f2d1a1fb0d4c0ff9e1ae7f8a0f2a5d2e1a7f2c9d3b4a5968778695a4b3c2";
const CONTRACT: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";

fn log(change: impl FnOnce(&mut Value)) -> Result<usize, AnswerError> {
    let mut answer = json!({ "txid": TRANSACTION, "executions": [{
        "trigger": "Application", "vmstate": "HALT", "exception": null, "gasconsumed": "9977780", "stack": [],
        "notifications": [{ "contract": CONTRACT, "eventname": "Transfer", "state": { "type": "Array", "value": [] } }],
    }] });
    change(&mut answer);
    let transaction: Hash256 = TRANSACTION.parse().unwrap();
    let executions = read_application_log(&answer, transaction)?;
    Ok(executions.iter().map(|one| one.notifications.len()).sum())
}

#[test]
fn application_logs() {
    assert_eq!(log(|_| ()), Ok(1));
    // What failed never happened, and neither did what runs apart from the transaction.
    assert_eq!(log(|log| log["executions"][0]["vmstate"] = json!("FAULT")), Ok(0));
    assert_eq!(log(|log| log["executions"][0]["vmstate"] = json!("FAULT, BREAK")), Ok(0));
    assert_eq!(log(|log| log["executions"][0]["trigger"] = json!("OnPersist")), Ok(0));
    // A contract's own nonsense stops nobody.
    assert_eq!(
        log(|log| log["executions"][0]["notifications"][0]["state"] = json!("error: recursive")),
        Ok(1)
    );
    let other = log(|log| log["txid"] = json!(TRANSACTION.replace('a', "b")));
    assert_eq!(other, Err(AnswerError::Other { what: "transaction" }));
    let changes: [fn(&mut Value); 7] = [
        |log| log["executions"] = json!({}),
        |log| log["executions"] = json!(vec![log["executions"][0].clone(); 5]),
        |log| log["executions"][0]["vmstate"] = json!("BREAK"),
        |log| log["executions"][0]["gasconsumed"] = json!(5),
        |log| log["executions"][0]["notifications"][0]["contract"] = json!("0x00"),
        |log| log["executions"][0]["notifications"][0]["eventname"] = json!("x".repeat(33)),
        |log| {
            let one = log["executions"][0]["notifications"][0].clone();
            log["executions"][0]["notifications"] = json!(vec![one; 16_385]);
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        assert!(log(change).is_err(), "change {at}");
    }
}
