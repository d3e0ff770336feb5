//! Published and own vectors of signatures, and what is not believed.

use proptest::prelude::*;

use super::*;

const NOW_S: u64 = 1_674_087_231;
const NOW: u64 = NOW_S * 1_000;
const SECRET: &[u8] = b"a secret of the tenant's";

fn hmac_auth(scheme: Scheme) -> Auth {
    Auth::Hmac(Hmac { secret: "S".into(), scheme, tolerance_s: 300, header: None })
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn tag(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

#[test]
fn the_published_example_of_standard_webhooks_holds() {
    // From the specification of Standard Webhooks.
    let body = br#"{"event_type":"ping","data":{"success":true}}"#;
    let secret = b"whsec_plJ3nmyCDGBKInavdOK15jsl";
    let key = BASE64.decode("plJ3nmyCDGBKInavdOK15jsl").unwrap();
    let (id, time) = ("msg_loFOjxBNrRLzqYUf", "1731705121");
    let message = [format!("{id}.{time}.").as_bytes(), body].concat();
    let signature = format!("v1,{}", BASE64.encode(tag(&key, &message)));
    assert_eq!(signature, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    let headers =
        headers(&[("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", &signature)]);
    let request = Signed { headers: &headers, body };
    let now = 1_731_705_121_000;
    let believed = believe(&hmac_auth(Scheme::Standard), secret, request, now).unwrap();
    assert_eq!(believed.message.unwrap().len(), 64);
    for later in [301_000, -301_000] {
        let at = now.saturating_add_signed(later);
        let refused = believe(&hmac_auth(Scheme::Standard), secret, request, at);
        assert_eq!(refused, Err(NotBelieved::Time));
    }
}

#[test]
fn of_several_signatures_one_suffices_and_another_body_has_none() {
    let time = NOW_S.to_string();
    let message = [time.as_bytes(), b".body"].concat();
    let good = hex::encode(tag(SECRET, &message));
    let bad = "00".repeat(32);
    let check = |value: &str, body: &[u8]| {
        let headers = headers(&[(SIGNATURE_HEADER, value)]);
        believe(&hmac_auth(Scheme::Timestamped), SECRET, Signed { headers: &headers, body }, NOW)
    };
    assert!(check(&format!("t={time},v1={good}"), b"body").is_ok());
    assert!(check(&format!("t={time}, v1={bad}, v1={good}, v0=x"), b"body").is_ok());
    let refused = |value: String, body: &[u8]| check(&value, body).unwrap_err();
    assert_eq!(refused(format!("t={time},v1={good}"), b"bodY"), NotBelieved::Signature);
    assert_eq!(refused(format!("t={time},v1={bad}"), b"body"), NotBelieved::Signature);
    assert_eq!(refused(format!("t={},v1={good}", NOW_S + 1), b"body"), NotBelieved::Signature);
    assert_eq!(refused(format!("t={time}"), b"body"), NotBelieved::Signature);
    for form in [
        String::new(),
        format!("v1={good}"),
        format!("t={time},t={time},v1={good}"),
        format!("t=+{time},v1={good}"),
        format!("t=0{time},v1={good}"),
        format!("t={time},v1=xyz"),
        format!("t={time},v1"),
        format!("t={time}{}", format!(",v1={bad}").repeat(9)),
    ] {
        assert_eq!(refused(form.clone(), b"body"), NotBelieved::Form, "{form}");
    }
}

#[test]
fn a_message_that_comes_again_is_known_again() {
    let standard = |id: &str, time: u64, body: &[u8]| {
        let time = time.to_string();
        let message = [format!("{id}.{time}.").as_bytes(), body].concat();
        let signature = format!("v1,{}", BASE64.encode(tag(SECRET, &message)));
        let headers =
            headers(&[("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", &signature)]);
        believe(&hmac_auth(Scheme::Standard), SECRET, Signed { headers: &headers, body }, NOW).unwrap()
    };
    assert_eq!(standard("a", NOW_S, b"1"), standard("a", NOW_S + 7, b"1"), "sent again, it is stamped anew");
    assert_ne!(standard("a", NOW_S, b"1"), standard("b", NOW_S, b"1"));
}

#[test]
fn a_key_is_compared_whole() {
    let auth = |header: Option<&str>| {
        Auth::ApiKey(SentKey { secret: "S".into(), header: header.map(ToOwned::to_owned) })
    };
    let check = |auth: &Auth, pairs: &[(&str, &str)]| {
        let headers = headers(pairs);
        believe(auth, SECRET, Signed { headers: &headers, body: b"" }, NOW)
    };
    let text = std::str::from_utf8(SECRET).unwrap();
    assert!(check(&auth(None), &[("x-api-key", text)]).is_ok());
    assert!(check(&auth(Some("authorization")), &[("authorization", &format!("Bearer {text}"))]).is_ok());
    assert_eq!(check(&auth(Some("authorization")), &[("authorization", text)]), Err(NotBelieved::Form));
    for wrong in ["", "a", &text[..text.len() - 1], &format!("{text} ")] {
        assert_eq!(check(&auth(None), &[("x-api-key", wrong)]), Err(NotBelieved::Signature), "{wrong}");
    }
    assert!(check(&auth(None), &[]).is_err());
    assert!(check(&auth(None), &[("x-api-key", text), ("x-api-key", text)]).is_err(), "twice");
}

#[test]
fn no_secret_is_an_empty_key() {
    let time = NOW_S.to_string();
    let forged = hex::encode(tag(b"", format!("{time}.").as_bytes()));
    let headers = headers(&[(SIGNATURE_HEADER, &format!("t={time},v1={forged}"))]);
    let request = Signed { headers: &headers, body: b"" };
    let refused = believe(&hmac_auth(Scheme::Timestamped), b"", request, NOW);
    assert_eq!(refused, Err(NotBelieved::Secret));
    let empty = believe(&hmac_auth(Scheme::Standard), b"whsec_", request, NOW);
    assert!(empty.is_err());
}

proptest! {
    #[test]
    fn nothing_but_the_signature_is_believed(value in ".{0,200}", body: Vec<u8>) {
        for scheme in [Scheme::Standard, Scheme::Timestamped] {
            let headers = headers(&[
                (SIGNATURE_HEADER, &value), ("webhook-id", "x"), ("webhook-timestamp", "1674087231"),
                ("webhook-signature", &value),
            ]);
            let request = Signed { headers: &headers, body: &body };
            prop_assert!(believe(&hmac_auth(scheme), SECRET, request, NOW).is_err());
        }
    }

    #[test]
    fn one_changed_bit_is_one_too_many(bit in 0..256usize) {
        let time = NOW_S.to_string();
        let mut good = tag(SECRET, format!("{time}.x").as_bytes()).as_ref().to_vec();
        good[bit / 8] ^= 1 << (bit % 8);
        let headers = headers(&[(SIGNATURE_HEADER, &format!("t={time},v1={}", hex::encode(good)))]);
        let request = Signed { headers: &headers, body: b"x" };
        prop_assert!(believe(&hmac_auth(Scheme::Timestamped), SECRET, request, NOW).is_err());
    }
}
