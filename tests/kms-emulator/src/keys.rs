//! The KMS keys, in a file: what each encrypts with, and its policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::accounts::random;
use crate::policy::KeyPolicy;
use crate::refusal::Refusal;

/// Encryption context: names and values in the order of the names.
pub(crate) type Context = BTreeMap<String, String>;

const FILE: &str = "kms-keys.json";
/// The tag by which a ciphertext names its key.
const TAG_BYTES: usize = 16;

/// All keys of a folder.
#[derive(Debug)]
pub(crate) struct Keys {
    file: PathBuf,
    keys: BTreeMap<String, Key>,
}

#[derive(Debug)]
struct Key {
    secret: [u8; 32],
    policy: KeyPolicy,
}

impl Keys {
    pub(crate) fn load(folder: &Path) -> Self {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file).unwrap_or_else(|_| "{}".to_owned());
        let stored: BTreeMap<String, Value> = serde_json::from_str(&text).expect("the keys' file");
        let read = |(arn, key): (String, Value)| {
            let mut secret = [0; 32];
            hex::decode_to_slice(key["secret"].as_str().expect("a secret"), &mut secret).expect("a secret");
            (arn, Key { secret, policy: KeyPolicy::new(key["policy"].clone()) })
        };
        Self { file, keys: stored.into_iter().map(read).collect() }
    }

    /// The first key's ARN, if there is one.
    pub(crate) fn first(&self) -> Option<String> {
        self.keys.keys().next().cloned()
    }

    /// A new key; its ARN.
    pub(crate) fn create(&mut self, region: &str, policy: KeyPolicy) -> String {
        let id = hex::encode(random::<16>());
        let parts = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        let arn = format!("arn:aws:kms:{region}:111122223333:key/{parts}");
        self.keys.insert(arn.clone(), Key { secret: random(), policy });
        self.save();
        arn
    }

    pub(crate) fn set_policy(&mut self, arn: &str, policy: KeyPolicy) {
        self.keys.get_mut(arn).expect("a key").policy = policy;
        self.save();
    }

    pub(crate) fn policy(&self, arn: &str) -> Result<&KeyPolicy, Refusal> {
        let key = self.keys.get(arn);
        key.map(|key| &key.policy)
            .ok_or_else(|| Refusal::new("NotFoundException", format!("Key {arn} does not exist")))
    }

    pub(crate) fn encrypt(&self, arn: &str, context: &Context, plaintext: &[u8]) -> Vec<u8> {
        let key = self.keys.get(arn).expect("a key");
        let nonce = random::<NONCE_LEN>();
        let mut sealed = plaintext.to_vec();
        cipher(&key.secret)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(context), &mut sealed)
            .expect("a ciphertext");
        [tag(arn).as_slice(), &nonce, &sealed].concat()
    }

    pub(crate) fn decrypt(
        &self,
        arn: &str,
        context: &Context,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let invalid = || Refusal::new("InvalidCiphertextException", "");
        let (named, rest) = ciphertext.split_at_checked(TAG_BYTES).ok_or_else(invalid)?;
        let key = self.keys.iter().find(|(arn, _)| tag(arn) == named);
        let (of, key) = key.ok_or_else(invalid)?;
        if of != arn {
            let message =
                "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(Refusal::new("IncorrectKeyException", message));
        }
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or_else(invalid)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| invalid())?;
        let mut opened = sealed.to_vec();
        let plaintext =
            cipher(&key.secret).open_in_place(nonce, aad(context), &mut opened).map_err(|_| invalid())?;
        Ok(plaintext.to_vec())
    }

    fn save(&self) {
        let key = |key: &Key| json!({ "secret": hex::encode(key.secret), "policy": key.policy.document() });
        let all: BTreeMap<_, _> = self.keys.iter().map(|(arn, of)| (arn, key(of))).collect();
        let part = self.file.with_extension("part");
        std::fs::write(&part, serde_json::to_vec_pretty(&all).expect("JSON")).expect("the keys' file");
        std::fs::rename(part, &self.file).expect("the keys' file");
    }
}

fn cipher(secret: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).expect("a key of 32 bytes"))
}

fn aad(context: &Context) -> Aad<Vec<u8>> {
    Aad::from(serde_json::to_vec(context).expect("JSON"))
}

fn tag(arn: &str) -> Vec<u8> {
    digest(&SHA256, arn.as_bytes()).as_ref().iter().copied().take(TAG_BYTES).collect()
}
