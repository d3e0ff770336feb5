//! Filters and transforms that a tenant wrote: read and evaluated in the process that holds keys. Whatever the text, it ends, and
//! what comes out is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_triggers::expression::Expression;
use r3e_triggers::limits::{MAX_MADE_BYTES, MAX_SOURCE_BYTES};
use serde_json::Value;

const EVENT: &str = r#"{"kind":"http","n":7,"d":2.5,"s":"text","none":null,"yes":true,"list":[1,2,3,"x"],
    "body":{"total":120,"items":[{"p":5},{"p":50}]}}"#;

fuzz_target!(|source: &str| {
    let Ok(expression) = Expression::parse(source) else { return };
    assert!(source.len() <= MAX_SOURCE_BYTES);
    let Ok(event) = serde_json::from_str::<Value>(EVENT) else { return };
    let holds = expression.holds(&event);
    if let Ok(text) = expression.json(&event) {
        assert!(text.len() <= MAX_MADE_BYTES);
        assert!(r3e_runner_api::json::check(&text).is_ok(), "{text}");
        let is_bool = text == "true" || text == "false";
        assert_eq!(holds.is_ok(), is_bool);
    }
});
