//! The JSON bodies that clients send, and the texts that name things in paths. What is read can be written and is
//! read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::feeds::{SetFeed, SignedReport};
use r3e_proto::api::functions::Deploy;
use r3e_proto::api::identity::{AdmitTenant, CreateKey, PublicKey, SignIn, TenantId, TenantState};
use r3e_proto::api::is_name;
use r3e_proto::api::random::Random;
use r3e_proto::api::secrets::{Grantee, Rollback};
use r3e_proto::api::transactions::SendTransaction;
use r3e_proto::api::versions::{
    At, PROD, Promotion, Reference, RollbackAlias, SetAlias, is_alias_name, is_sticky_key, is_version_prefix,
};
use r3e_proto::limits::MAX_NAME_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else { return };
    match kind % 14 {
        0 => body_of::<Deploy>(body),
        1 => body_of::<SignIn>(body),
        2 => body_of::<AdmitTenant>(body),
        3 => body_of::<CreateKey>(body),
        4 => body_of::<TenantState>(body),
        5 => names(body),
        6 => body_of::<SetAlias>(body),
        7 => body_of::<RollbackAlias>(body),
        8 => body_of::<Promotion>(body),
        9 => body_of::<Rollback>(body),
        10 => body_of::<SetFeed>(body),
        11 => body_of::<SignedReport>(body),
        12 => body_of::<Random>(body),
        _ => body_of::<SendTransaction>(body),
    }
});

fn body_of<T: Serialize + DeserializeOwned>(body: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(body) else { return };
    let written = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("and read again");
    assert_eq!(serde_json::to_string(&again).expect("and written again"), written);
}

fn names(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if is_name(text) {
        assert!((1..=MAX_NAME_BYTES).contains(&text.len()));
        assert!(!text.starts_with(['.', '-']) && !text.contains(['/', '%', '\0', ' ']));
    }
    if let Some(grantee) = Grantee::parse(text) {
        assert_eq!(grantee.to_string(), text, "it stands in a path and a query as it is");
        assert!(is_name(grantee.function()) && !text.contains([',', '/', '&', '#', '?']));
    }
    assert!(!(is_alias_name(text) && is_version_prefix(text)), "what stands behind an @ has one meaning");
    if is_sticky_key(text) {
        assert!(text.len() <= 256 && text.bytes().all(|byte| (0x21..0x7f).contains(&byte)));
    }
    if let Some(reference) = Reference::parse(text) {
        assert!(is_name(reference.function()) && !text.contains([',', '/', '&', '#', '?', '%']));
        let (At::Alias(at) | At::Version(at)) = reference.at();
        assert!(
            text == format!("{}@{at}", reference.function()) || (text == reference.function() && at == PROD)
        );
    }
    if let Ok(id) = text.parse::<TenantId>() {
        assert_eq!(id.to_string(), text.to_lowercase());
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text.to_lowercase());
        assert_eq!(TenantId::of(&key).to_string().len(), 32);
    }
}
