//! The world of a provider, in memory: a KMS that encrypts to whatever key the request's document carries, a slot,
//! credentials and a clock. What the real service does with signatures and documents is not its matter.

use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_keys::kms::{
    AwsKms, Credentials, CredentialsFuture, Https, HttpsAnswer, HttpsError, HttpsFuture, KmsParts, KmsPolicy,
};
use r3e_keys::{BoxError, Clock, Documents, Slot, SlotFuture, SlotWritten};
use r3e_proto::host::credentials::AwsCredentials;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI";
pub(crate) const TOKEN: &str = "AQoDYXdzEPT";
const NOW_MS: u64 = 1_800_000_000_000;

/// How KMS answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    OtherKeyId,
    Plaintext,
    OtherRecipient,
    OtherDataKey,
    Garbage,
    Status(u16),
    Refusal(u16, &'static str),
    NotTrusted,
    Nothing,
}

#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of a test's")]
struct Inner {
    slot: Option<Vec<u8>>,
    conflict: bool,
    lose_writes: bool,
    deny_decrypt: bool,
    answer: Option<(Answer, u32)>,
    credentials_fail: u32,
    credentials_expired: bool,
    sent: Vec<Sent>,
    operations: Vec<String>,
    user_data: Vec<Vec<u8>>,
    ciphertext: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct World(Mutex<Inner>);

/// The world by each of its sides.
struct Side(Arc<World>);

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn provider(world: &Arc<Self>, policy: KmsPolicy) -> AwsKms {
        let side = || Arc::new(Side(Arc::clone(world)));
        AwsKms::new(
            policy,
            KmsParts { slot: side(), documents: side(), https: side(), credentials: side(), clock: side() },
        )
    }

    pub(crate) fn slot(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap().slot.clone()
    }

    pub(crate) fn put_slot(&self, slot: &[u8]) {
        self.0.lock().unwrap().slot = Some(slot.to_vec());
    }

    pub(crate) fn conflict(&self) {
        self.0.lock().unwrap().conflict = true;
    }

    pub(crate) fn lose_writes(&self) {
        self.0.lock().unwrap().lose_writes = true;
    }

    /// From now on KMS gives data keys, and none back.
    pub(crate) fn deny_decrypt(&self) {
        self.0.lock().unwrap().deny_decrypt = true;
    }

    pub(crate) fn answer_with(&self, answer: Answer, times: u32) {
        self.0.lock().unwrap().answer = Some((answer, times));
    }

    pub(crate) fn credentials_fail(&self, times: u32) {
        self.0.lock().unwrap().credentials_fail = times;
    }

    pub(crate) fn credentials_expired(&self) {
        self.0.lock().unwrap().credentials_expired = true;
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.0.lock().unwrap().operations.clone()
    }

    pub(crate) fn user_data(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().user_data.clone()
    }

    /// The ciphertext that was given last.
    pub(crate) fn ciphertext(&self) -> Vec<u8> {
        self.0.lock().unwrap().ciphertext.clone()
    }

    fn respond(
        &self,
        headers: &[(String, Zeroizing<String>)],
        body: &[u8],
    ) -> Result<HttpsAnswer, HttpsError> {
        let mut inner = self.0.lock().unwrap();
        let fault = inner.answer.filter(|(_, times)| *times > 0);
        if let Some((answer, times)) = fault {
            inner.answer = Some((answer, times - 1));
        }
        let fault = fault.map(|(answer, _)| answer);
        let plain = |status, body: &Value| {
            let body = Zeroizing::new(body.to_string().into_bytes());
            Ok(HttpsAnswer { status, headers: Vec::new(), body })
        };
        match fault {
            Some(Answer::Status(status)) => return plain(status, &Value::Null),
            Some(Answer::Refusal(status, kind)) => {
                return plain(status, &json!({ "__type": kind, "message": "no" }));
            }
            Some(Answer::NotTrusted) => return Err(HttpsError::NotTrusted("another authority".into())),
            Some(Answer::Nothing) => return Err(HttpsError::Failed("no connection".into())),
            _ => {}
        }
        let target = headers.iter().find(|(name, _)| name == "x-amz-target").unwrap();
        let operation = target.1.strip_prefix("TrentService.").unwrap().to_owned();
        if inner.deny_decrypt && operation == "Decrypt" {
            return plain(400, &json!({ "__type": "AccessDeniedException", "message": "no" }));
        }
        inner.operations.push(operation.clone());
        let body: Value = serde_json::from_slice(body).unwrap();
        let context = body["EncryptionContext"].to_string().into_bytes();
        let (data_key, mut answer) = if operation == "GenerateDataKey" {
            let data_key = [0x5a; 32];
            let mut sealed = data_key.to_vec();
            cipher().seal_in_place_append_tag(nonce(), Aad::from(context), &mut sealed).unwrap();
            inner.ciphertext = sealed;
            (data_key, json!({ "KeyId": KEY, "CiphertextBlob": STANDARD.encode(&inner.ciphertext) }))
        } else {
            let mut opened = STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
            match cipher().open_in_place(nonce(), Aad::from(context), &mut opened) {
                Ok(data_key) => (<[u8; 32]>::try_from(&*data_key).unwrap(), json!({ "KeyId": KEY })),
                Err(_) => return plain(400, &json!({ "__type": "InvalidCiphertextException" })),
            }
        };
        let data_key = if fault == Some(Answer::OtherDataKey) { [1; 32] } else { data_key };
        // The document is its public key here.
        let mut spki = STANDARD.decode(body["Recipient"]["AttestationDocument"].as_str().unwrap()).unwrap();
        if fault == Some(Answer::OtherRecipient) {
            let other = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap().public_key();
            spki = other.as_der().unwrap().as_ref().to_vec();
        }
        let mut for_recipient = envelope(&spki, &data_key);
        match fault {
            Some(Answer::OtherKeyId) => {
                answer["KeyId"] = "arn:aws:kms:eu-central-1:111122223333:key/other".into();
            }
            Some(Answer::Plaintext) => answer["Plaintext"] = STANDARD.encode(data_key).into(),
            Some(Answer::Garbage) => for_recipient.truncate(100),
            _ => {}
        }
        answer["CiphertextForRecipient"] = STANDARD.encode(for_recipient).into();
        plain(200, &answer)
    }
}

impl Https for Side {
    fn post<'a>(
        &'a self,
        host: &'a str,
        port: u16,
        headers: &'a [(String, Zeroizing<String>)],
        body: &'a [u8],
        _: usize,
    ) -> HttpsFuture<'a> {
        Box::pin(async move {
            let shown = headers.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
            self.0.0.lock().unwrap().sent.push(Sent { host: host.to_owned(), port, headers: shown });
            self.0.respond(headers, body)
        })
    }
}

impl Documents for Side {
    fn attest<'a>(
        &'a self,
        public_key: Option<&'a [u8]>,
        user_data: &'a [u8],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Vec<u8>, BoxError>> + Send + 'a>> {
        Box::pin(async move {
            self.0.0.lock().unwrap().user_data.push(user_data.to_vec());
            Ok(public_key.unwrap().to_vec())
        })
    }
}

impl Slot for Side {
    fn read(&self) -> SlotFuture<'_, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.0.slot()) })
    }

    fn write<'a>(&'a self, expected: Option<[u8; 32]>, value: &'a [u8]) -> SlotFuture<'a, SlotWritten> {
        Box::pin(async move {
            let mut inner = self.0.0.lock().unwrap();
            if inner.lose_writes {
                return Err("the disk is full".into());
            }
            let stands: Option<[u8; 32]> = inner.slot.as_ref().map(|slot| Sha256::digest(slot).into());
            if inner.conflict || stands != expected {
                return Ok(SlotWritten::Conflict);
            }
            inner.slot = Some(value.to_vec());
            Ok(SlotWritten::Written)
        })
    }
}

impl Credentials for Side {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async {
            let mut inner = self.0.0.lock().unwrap();
            if inner.credentials_fail > 0 {
                inner.credentials_fail -= 1;
                return Err("no role".into());
            }
            Ok(AwsCredentials {
                access_key_id: "ASIAEXAMPLE".to_owned(),
                secret_access_key: Zeroizing::new(SECRET.to_owned()),
                session_token: Some(Zeroizing::new(TOKEN.to_owned())),
                expires_at_ms: if inner.credentials_expired { NOW_MS } else { NOW_MS + 1 },
            })
        })
    }
}

impl Clock for Side {
    fn unix_ms(&self) -> u64 {
        NOW_MS
    }
}

fn cipher() -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[0x77; 32]).unwrap())
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// The head of the real service's answers up to the encrypted key, and from there to the vector: all but these two and the
/// content is the same in each of them.
const REAL: &[u8] = include_bytes!("../../vectors/kms/kms_ciphertext_for_recipient_2.ber");

/// An answer of the real service with other contents in it.
fn envelope(spki: &[u8], data_key: &[u8; 32]) -> Vec<u8> {
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(spki).unwrap()).unwrap();
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &[9; 32], &mut encrypted_key, None).unwrap();
    let mut content = [&data_key[..], &[16; 16]].concat();
    let iv = EncryptionContext::Iv128(FixedLength::from([4; 16]));
    let key = UnboundCipherKey::new(&AES_256, &[9; 32]).unwrap();
    EncryptingKey::cbc(key).unwrap().less_safe_encrypt(&mut content, iv).unwrap();
    let mut bytes = REAL.to_vec();
    bytes[131..387].copy_from_slice(&encrypted_key);
    bytes[415..431].copy_from_slice(&[4; 16]);
    bytes[435..483].copy_from_slice(&content);
    bytes
}
