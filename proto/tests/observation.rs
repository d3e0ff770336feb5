//! Observations against what other implementations make of them: `vectors/observation.json`, by `tests/chain/observation-vectors.py`.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use r3e_proto::api::feeds::Target;
use r3e_proto::observation::{Observation, request_hash};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/observation.json")).unwrap()
}

fn target(one: &Value) -> Target {
    one.as_str().unwrap().parse().unwrap()
}

#[test]
fn what_is_signed_of_an_observation() {
    let vectors = vectors();
    for vector in vectors["observations"].as_array().unwrap() {
        let one: Observation = serde_json::from_value(vector["observation"].clone()).unwrap();
        let expected = &vector["expected"];
        one.check().unwrap();
        assert_eq!(hex::encode(one.encode()), expected["canonical"]);
        assert_eq!(hex::encode(one.struct_hash()), expected["struct_hash"]);
        let digest = |target: Option<&Target>| hex::encode(one.digest(target).unwrap());
        assert_eq!(digest(None), expected["unbound"]);
        let evm: Vec<_> =
            vectors["evm"].as_array().unwrap().iter().map(|one| digest(Some(&target(one)))).collect();
        assert_eq!(Value::from(evm), expected["eip712"]);
        assert_eq!(digest(Some(&target(&vectors["neo"]))), expected["neo"]);
    }
}

#[test]
fn what_is_hashed_of_a_request() {
    for vector in vectors()["requests"].as_array().unwrap() {
        let headers: Vec<(String, String)> = serde_json::from_value(vector["headers"].clone()).unwrap();
        let headers: Vec<_> =
            headers.into_iter().map(|(name, value)| (name, hex::decode(value).unwrap())).collect();
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let hash = request_hash("GET", vector["url"].as_str().unwrap(), pairs);
        assert_eq!(hex::encode(hash.0), vector["hash"]);
    }
}
