//! The JSON bodies that clients send, and the texts that name things in paths. What is read can be written and is
//! read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::data::SignedObservation;
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
use r3e_proto::api::wallets::{CreateWallet, KeyType, Payload, SignRequest};
use r3e_proto::limits::MAX_NAME_BYTES;
use r3e_proto::wallet::{digest, is_signed_neo_transaction, signed_neo_transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else { return };
    match kind % 17 {
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
        13 => body_of::<SendTransaction>(body),
        14 => observation(body),
        15 => body_of::<CreateWallet>(body),
        _ => sign_request(body),
    }
});

fn body_of<T: Serialize + DeserializeOwned>(body: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(body) else { return };
    let written = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("and read again");
    assert_eq!(serde_json::to_string(&again).expect("and written again"), written);
}

/// What can be signed has one form, in which nodes and clients find it again.
fn sign_request(body: &[u8]) {
    body_of::<SignRequest>(body);
    let Ok(request) = serde_json::from_slice::<SignRequest>(body) else { return };
    for key_type in [KeyType::Secp256k1, KeyType::Secp256r1, KeyType::Ed25519] {
        let Ok(_) = digest(key_type, &request.payload) else { continue };
        let Payload::NeoTransaction(fields) = &request.payload else { continue };
        let (key, signature) = ([2; 33], [7; 64]);
        let bytes =
            signed_neo_transaction(fields, &key, &signature).expect("what has a digest is a transaction");
        let is_own = r3e_proto::wallet::neo_account(&key) == fields.sender.0;
        assert_eq!(is_signed_neo_transaction(fields, &signature, &bytes), is_own);
    }
}

/// Of an observation, every text is found again behind its length.
fn observation(body: &[u8]) {
    body_of::<SignedObservation>(body);
    let Ok(signed) = serde_json::from_slice::<SignedObservation>(body) else { return };
    let one = signed.observation();
    if one.check().is_err() {
        return;
    }
    let bytes = one.encode();
    let mut rest = bytes.as_slice();
    for text in [&one.function, &one.url, &one.path, &one.value] {
        let (length, behind) = rest.split_first_chunk().expect("a length");
        let (found, left) = behind.split_at(usize::from(u16::from_le_bytes(*length)));
        assert_eq!(found, text.as_bytes());
        rest = left;
    }
    assert_eq!(rest.len(), 2 + 8 + 3 * 32);
    for signature in &signed.signatures {
        let digest = one.digest(signature.target.as_ref()).expect("a target that was read has a chain");
        assert_ne!(one.digest(None).expect("it needs no chain"), [0; 32]);
        assert!(signature.target.is_none() || one.digest(None) != Ok(digest));
    }
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
