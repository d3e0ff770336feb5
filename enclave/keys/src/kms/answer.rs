//! KMS over JSON 1.1: the bodies of the two requests, and what the answers mean.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    cms::EnvelopedData,
    error::{KmsError, Operation},
    policy::KmsPolicy,
    seams::HttpsAnswer,
};
use crate::limits::{MAX_KMS_CIPHERTEXT_BYTES, MAX_KMS_MESSAGE_BYTES};

/// What KMS gave.
pub(super) struct Granted {
    /// The data key, encrypted to the document's key.
    pub(super) for_recipient: EnvelopedData,
    /// The data key, encrypted under the KMS key: to `GenerateDataKey` alone.
    pub(super) ciphertext: Option<Vec<u8>>,
}

/// The body of a request. `ciphertext` is there for `Decrypt`.
pub(super) fn request(policy: &KmsPolicy, document: &[u8], ciphertext: Option<&[u8]>) -> Vec<u8> {
    let context: Map<String, Value> =
        policy.context().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut body = json!({
        "KeyId": policy.key().as_str(),
        "EncryptionContext": context,
        "Recipient": {
            "AttestationDocument": STANDARD.encode(document),
            "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        },
    });
    match ciphertext {
        None => body["KeySpec"] = "AES_256".into(),
        Some(ciphertext) => {
            body["CiphertextBlob"] = STANDARD.encode(ciphertext).into();
            body["EncryptionAlgorithm"] = "SYMMETRIC_DEFAULT".into();
        }
    }
    body.to_string().into_bytes()
}

/// Members that KMS may add are passed over; one that is there twice is refused.
#[derive(Deserialize)]
struct Success {
    #[serde(rename = "KeyId")]
    key_id: Option<String>,
    #[serde(rename = "CiphertextBlob")]
    ciphertext: Option<String>,
    #[serde(rename = "CiphertextForRecipient")]
    for_recipient: Option<String>,
    #[serde(rename = "Plaintext")]
    plaintext: Option<String>,
}

#[derive(Default, Deserialize)]
struct Failure {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

/// Reads an answer, and checks that it is of the policy's key and holds nothing in the open.
pub(super) fn read(
    operation: Operation,
    answer: &HttpsAnswer,
    policy: &KmsPolicy,
) -> Result<Granted, KmsError> {
    if answer.status != 200 {
        return Err(failure(operation, answer));
    }
    let wrong = |why| KmsError::Answer { operation, why };
    let success: Success =
        serde_json::from_slice(&answer.body).map_err(|_| wrong("it is no JSON of the documented form"))?;
    if success.plaintext.map(Zeroizing::new).is_some_and(|plaintext| !plaintext.is_empty()) {
        return Err(KmsError::Plaintext { operation });
    }
    let key_id = success.key_id.ok_or_else(|| wrong("it names no key"))?;
    if key_id != policy.key().as_str() {
        return Err(KmsError::AnswerKey { operation, answered: shown(&key_id) });
    }
    let for_recipient = success.for_recipient.ok_or_else(|| wrong("it holds nothing for the recipient"))?;
    let for_recipient =
        STANDARD.decode(for_recipient).map_err(|_| wrong("CiphertextForRecipient is no base64"))?;
    let ciphertext = match (operation, success.ciphertext) {
        (Operation::Decrypt, _) => None,
        (Operation::GenerateDataKey, None) => return Err(wrong("it holds no CiphertextBlob")),
        (Operation::GenerateDataKey, Some(text)) => {
            let blob = STANDARD.decode(text).map_err(|_| wrong("CiphertextBlob is no base64"))?;
            if blob.is_empty() || blob.len() > MAX_KMS_CIPHERTEXT_BYTES {
                return Err(wrong("CiphertextBlob has not the size of one"));
            }
            Some(blob)
        }
    };
    Ok(Granted { for_recipient: EnvelopedData::parse(&for_recipient)?, ciphertext })
}

fn failure(operation: Operation, answer: &HttpsAnswer) -> KmsError {
    let status = answer.status;
    let Failure { kind, message } = serde_json::from_slice(&answer.body).unwrap_or_default();
    // Some services put a namespace before the name.
    let code = kind.rsplit('#').next().unwrap_or_default();
    let message = shown(&message);
    match code {
        "AccessDeniedException" => KmsError::AccessDenied { operation, message },
        "IncorrectKeyException" => KmsError::WrongKey,
        "InvalidCiphertextException" => KmsError::Ciphertext,
        "ExpiredTokenException" => KmsError::CredentialsExpired,
        "RequestExpired" | "RequestTimeTooSkewedException" => KmsError::ClockSkew { message },
        // The same name for a wrong time and a wrong secret; the words differ.
        "InvalidSignatureException"
            if message.contains("Signature expired") || message.contains("Signature not yet current") =>
        {
            KmsError::ClockSkew { message }
        }
        "InvalidSignatureException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "IncompleteSignatureException"
        | "MissingAuthenticationTokenException"
        | "OptInRequired"
        | "NotAuthorized" => KmsError::CredentialsRefused { code: shown(code), message },
        "NotFoundException"
        | "DisabledException"
        | "KMSInvalidStateException"
        | "InvalidKeyUsageException" => KmsError::KeyUnusable { code: shown(code), message },
        "ThrottlingException" | "LimitExceededException" | "TooManyRequestsException" => {
            KmsError::Throttled { message }
        }
        _ if status == 429 => KmsError::Throttled { message },
        _ if (500..600).contains(&status) => KmsError::Unavailable { status, message },
        "" => KmsError::Status { operation, status },
        code => KmsError::Refused { operation, code: shown(code), message },
    }
}

/// Words of the server's, for a line of the log: short, and without anything that would not be a part of it.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let end = text.floor_char_boundary(MAX_KMS_MESSAGE_BYTES);
    text[..end].chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    /// An answer of the real service, of which nothing is known but its form.
    const REAL: &[u8] = include_bytes!("../../vectors/kms/kms_ciphertext_for_recipient_2.ber");

    fn policy() -> KmsPolicy {
        KmsPolicy::new::<&[u8]>(KEY, "alpha", None, &[]).unwrap()
    }

    fn answer(status: u16, body: &Value) -> HttpsAnswer {
        HttpsAnswer { status, headers: Vec::new(), body: Zeroizing::new(body.to_string().into_bytes()) }
    }

    fn granted() -> Value {
        json!({
            "KeyId": KEY,
            "CiphertextBlob": STANDARD.encode([1; 184]),
            "CiphertextForRecipient": STANDARD.encode(REAL),
            "KeyMaterialId": "a member that came later",
        })
    }

    #[test]
    fn requests_name_key_context_and_recipient() {
        let body: Value = serde_json::from_slice(&request(&policy(), b"document", None)).unwrap();
        let expected = json!({
            "KeyId": KEY, "KeySpec": "AES_256",
            "EncryptionContext": { "r3e:appliance": "alpha", "r3e:image": "r3e-enclave/1" },
            "Recipient": { "AttestationDocument": "ZG9jdW1lbnQ=", "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256" },
        });
        assert_eq!(body, expected);
        let body: Value = serde_json::from_slice(&request(&policy(), b"document", Some(b"c"))).unwrap();
        assert_eq!((&body["CiphertextBlob"], &body["KeySpec"]), (&json!("Yw=="), &Value::Null));
        assert_eq!(body["KeyId"], KEY, "Decrypt names its key, so that no other one is tried");
    }

    #[test]
    fn an_answer_must_be_whole_and_of_the_pinned_key() {
        let read = |body: &Value| read(Operation::GenerateDataKey, &answer(200, body), &policy());
        assert_eq!(read(&granted()).map(|granted| granted.ciphertext).unwrap(), Some(vec![1; 184]));
        let with = |name: &str, value: Value| {
            let mut body = granted();
            body[name] = value;
            read(&body).map(|_| ()).unwrap_err()
        };
        let other = KEY.replace("1234abcd", "1234abce");
        assert!(matches!(with("KeyId", other.into()), KmsError::AnswerKey { .. }));
        assert!(matches!(with("KeyId", Value::Null), KmsError::Answer { .. }));
        assert!(matches!(
            with("KeyId", "1234abcd-12ab-34cd-56ef-1234567890ab".into()),
            KmsError::AnswerKey { .. }
        ));
        assert!(matches!(with("Plaintext", "c2VjcmV0".into()), KmsError::Plaintext { .. }));
        assert!(matches!(with("CiphertextForRecipient", Value::Null), KmsError::Answer { .. }));
        assert!(matches!(with("CiphertextForRecipient", "!".into()), KmsError::Answer { .. }));
        assert!(matches!(with("CiphertextForRecipient", "AAAA".into()), KmsError::Cms(_)));
        assert!(matches!(with("CiphertextBlob", Value::Null), KmsError::Answer { .. }));
        assert!(matches!(with("CiphertextBlob", "".into()), KmsError::Answer { .. }));
        assert!(matches!(
            with("CiphertextBlob", STANDARD.encode(vec![0; 7_000]).into()),
            KmsError::Answer { .. }
        ));
        for empty in [json!(""), Value::Null] {
            let mut body = granted();
            body["Plaintext"] = empty;
            assert!(read(&body).is_ok(), "KMS documents both forms of nothing");
        }
        let twice = format!("{{\"KeyId\":\"{KEY}\",\"KeyId\":\"{KEY}\"}}");
        let twice =
            HttpsAnswer { status: 200, headers: Vec::new(), body: Zeroizing::new(twice.into_bytes()) };
        let refused = super::read(Operation::Decrypt, &twice, &policy()).map(|_| ());
        assert!(matches!(refused, Err(KmsError::Answer { .. })));
    }

    #[test]
    fn each_failure_has_its_meaning() {
        let of = |status, kind: &str, message: &str| {
            let body = json!({ "__type": kind, "message": message });
            failure(Operation::Decrypt, &answer(status, &body))
        };
        assert!(matches!(of(400, "AccessDeniedException", "no"), KmsError::AccessDenied { .. }));
        assert!(matches!(
            of(400, "com.amazonaws.kms#AccessDeniedException", ""),
            KmsError::AccessDenied { .. }
        ));
        assert!(matches!(of(400, "IncorrectKeyException", ""), KmsError::WrongKey));
        assert!(matches!(of(400, "InvalidCiphertextException", ""), KmsError::Ciphertext));
        assert!(matches!(of(400, "ExpiredTokenException", ""), KmsError::CredentialsExpired));
        assert!(matches!(of(400, "UnrecognizedClientException", ""), KmsError::CredentialsRefused { .. }));
        assert!(matches!(
            of(400, "InvalidSignatureException", "no match"),
            KmsError::CredentialsRefused { .. }
        ));
        let late = "Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z";
        assert!(matches!(of(400, "InvalidSignatureException", late), KmsError::ClockSkew { .. }));
        assert!(matches!(of(400, "DisabledException", ""), KmsError::KeyUnusable { .. }));
        assert!(matches!(of(400, "ThrottlingException", ""), KmsError::Throttled { .. }));
        assert!(matches!(of(429, "", ""), KmsError::Throttled { .. }));
        assert!(matches!(of(500, "KMSInternalException", ""), KmsError::Unavailable { status: 500, .. }));
        assert!(matches!(of(503, "", ""), KmsError::Unavailable { status: 503, .. }));
        assert!(matches!(of(400, "ValidationException", ""), KmsError::Refused { .. }));
        for status in [301, 307, 404, 204] {
            assert!(matches!(of(status, "", ""), KmsError::Status { .. }));
        }
        let capital =
            answer(400, &json!({ "__type": "AccessDeniedException", "Message": "as some write it" }));
        assert!(failure(Operation::Decrypt, &capital).to_string().contains("as some write it"));
    }

    #[test]
    fn a_servers_words_stay_in_their_line() {
        let long = "é\r\n".repeat(MAX_KMS_MESSAGE_BYTES);
        let shown = shown(&long);
        assert!(shown.len() <= MAX_KMS_MESSAGE_BYTES && !shown.contains(['\r', '\n']));
    }
}
