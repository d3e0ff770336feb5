//! KMS itself: what a request asks, whether it may, and the answer.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use r3e_attestation::AttestationResult;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{Accounts, random};
use crate::attestation::NitroRoot;
use crate::envelope;
use crate::fault::Fault;
use crate::keys::{Context, Keys};
use crate::policy::Request;
use crate::refusal::Refusal;
use crate::sigv4;

/// A request that came, as a test looks at it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GenerateDataKey` or `Decrypt`.
    pub operation: String,
    /// The role whose credentials signed it, where the signature held.
    pub role_arn: Option<String>,
    /// The name of the refusal, if it was refused.
    pub refused: Option<&'static str>,
    /// The `user_data` of its document, where that was genuine.
    pub user_data: Option<Vec<u8>>,
}

/// The service.
pub(crate) struct Kms {
    pub(crate) keys: Mutex<Keys>,
    pub(crate) accounts: Accounts,
    pub(crate) root: NitroRoot,
    pub(crate) asked: Mutex<Vec<Asked>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    key_id: String,
    #[serde(default)]
    encryption_context: Context,
    key_spec: Option<String>,
    ciphertext_blob: Option<String>,
    encryption_algorithm: Option<String>,
    recipient: Option<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Recipient {
    attestation_document: String,
    key_encryption_algorithm: String,
}

impl Kms {
    /// The status and body of the answer to a request.
    pub(crate) fn answer(&self, head: &Parts, body: &[u8], fault: Option<Fault>) -> (u16, Value) {
        let target =
            head.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let operation = target.strip_prefix("TrentService.").unwrap_or_default().to_owned();
        let mut asked = Asked { operation, role_arn: None, refused: None, user_data: None };
        let answered = self.serve(head, body, fault, &mut asked);
        if let Err(refusal) = &answered {
            asked.refused = Some(refusal.kind);
        }
        self.asked.lock().expect("no holder panicked").push(asked);
        match answered {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.body()),
        }
    }

    fn serve(
        &self,
        head: &Parts,
        body: &[u8],
        fault: Option<Fault>,
        asked: &mut Asked,
    ) -> Result<Value, Refusal> {
        match fault {
            Some(Fault::Throttled) => return Err(Refusal::new("ThrottlingException", "Rate exceeded")),
            Some(Fault::Internal) => {
                return Err(Refusal { status: 500, ..Refusal::new("KMSInternalException", "") });
            }
            _ => {}
        }
        let invalid = |why: &str| Refusal::new("ValidationException", why);
        let body_of: Body = serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
        let region = body_of.key_id.split(':').nth(3).unwrap_or_default();
        let caller = sigv4::verify(head, body, region, &self.accounts)?;
        asked.role_arn = Some(caller.role_arn.clone());
        let attested = match &body_of.recipient {
            Some(recipient) => Some(self.attested(recipient)?),
            None => None,
        };
        asked.user_data = attested.as_ref().and_then(|result| result.user_data()).map(<[u8]>::to_vec);
        let request = conditions(&body_of.encryption_context, attested.as_ref());
        let action = format!("kms:{}", asked.operation);
        let keys = self.keys.lock().expect("no holder panicked");
        if !keys.policy(&body_of.key_id)?.allows(&caller.role_arn, &action, &request) {
            let message = format!(
                "User: {} is not authorized to perform: {action} on this resource because no resource-based policy \
                 allows the {action} action",
                caller.role_arn
            );
            return Err(Refusal::new("AccessDeniedException", message));
        }
        let (arn, context) = (&body_of.key_id, &body_of.encryption_context);
        let (plaintext, mut answer) = match asked.operation.as_str() {
            "GenerateDataKey" => {
                if body_of.key_spec.as_deref() != Some("AES_256") || body_of.ciphertext_blob.is_some() {
                    return Err(invalid("KeySpec must be AES_256"));
                }
                let data_key = random::<32>().to_vec();
                let blob = STANDARD.encode(keys.encrypt(arn, context, &data_key));
                (data_key, json!({ "KeyId": arn, "CiphertextBlob": blob }))
            }
            "Decrypt" => {
                let algorithm = "SYMMETRIC_DEFAULT";
                if body_of.encryption_algorithm.is_some_and(|named| named != algorithm)
                    || body_of.key_spec.is_some()
                {
                    return Err(invalid("EncryptionAlgorithm must be SYMMETRIC_DEFAULT"));
                }
                let blob = body_of.ciphertext_blob.ok_or_else(|| invalid("CiphertextBlob is missing"))?;
                let blob = STANDARD.decode(blob).map_err(|_| invalid("CiphertextBlob is no base64"))?;
                let plaintext = keys.decrypt(arn, context, &blob)?;
                (plaintext, json!({ "KeyId": arn, "EncryptionAlgorithm": algorithm }))
            }
            _ => return Err(Refusal::new("UnknownOperationException", "")),
        };
        let plaintext = if fault == Some(Fault::OtherDataKey) { random::<32>().to_vec() } else { plaintext };
        match attested {
            None => answer["Plaintext"] = STANDARD.encode(&plaintext).into(),
            Some(attested) => {
                let spki = attested.public_key().ok_or_else(|| invalid("The document has no public key."))?;
                answer["CiphertextForRecipient"] =
                    STANDARD.encode(envelope::seal(spki, &plaintext, fault)?).into();
                if fault == Some(Fault::Plaintext) {
                    answer["Plaintext"] = STANDARD.encode(&plaintext).into();
                }
            }
        }
        if fault == Some(Fault::WrongKeyId) {
            let other: String = arn.chars().rev().skip(4).collect::<Vec<_>>().into_iter().rev().collect();
            answer["KeyId"] = format!("{other}0000").into();
        }
        Ok(answer)
    }

    fn attested(&self, recipient: &Recipient) -> Result<AttestationResult, Refusal> {
        let invalid = |why: &str| Refusal::new("ValidationException", why);
        if recipient.key_encryption_algorithm != "RSAES_OAEP_SHA_256" {
            return Err(invalid("KeyEncryptionAlgorithm must be RSAES_OAEP_SHA_256"));
        }
        let document = STANDARD.decode(&recipient.attestation_document);
        self.root.verify(&document.map_err(|_| invalid("AttestationDocument is no base64"))?)
    }
}

/// What conditions can be on. Without a document there is none of its keys, so a condition on them is not met.
fn conditions(context: &Context, attested: Option<&AttestationResult>) -> Request {
    let mut request = Request::new();
    for (name, value) in context {
        request.insert(format!("kms:EncryptionContext:{name}"), value.clone());
    }
    for (index, value) in attested.map(AttestationResult::pcrs).into_iter().flatten() {
        request.insert(format!("kms:RecipientAttestation:PCR{index}"), hex::encode(value));
        if *index == 0 {
            request.insert("kms:RecipientAttestation:ImageSha384".to_owned(), hex::encode(value));
        }
    }
    request
}
