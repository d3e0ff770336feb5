//! Asks KMS: one signed request for each attempt, with a fresh document and the credentials of now. Knows nothing of
//! the slot or of the root.

use std::{sync::Arc, time::Duration};

use r3e_proto::channel::statement::Statement;

use super::{
    answer::{self, Granted},
    error::{KmsError, Operation},
    policy::KmsPolicy,
    recipient::{DataKey, RecipientKey},
    seams::{Credentials, Https},
    sigv4::{Unsigned, sign},
};
use crate::{
    Clock, Documents,
    limits::{KMS_FIRST_PAUSE_MS, MAX_KMS_ANSWER_BYTES, MAX_KMS_ATTEMPTS},
};

/// KMS's name in signatures.
const SERVICE: &str = "kms";
/// HTTPS.
const HTTPS_PORT: u16 = 443;

/// KMS, as one boot asks it.
pub(super) struct Client<'a> {
    pub(super) policy: &'a KmsPolicy,
    pub(super) https: &'a Arc<dyn Https>,
    pub(super) credentials: &'a Arc<dyn Credentials>,
    pub(super) documents: &'a Arc<dyn Documents>,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) recipient: &'a RecipientKey,
}

impl Client<'_> {
    /// A new data key, and its ciphertext under the KMS key.
    pub(super) async fn generate_data_key(&self) -> Result<(DataKey, Vec<u8>), KmsError> {
        let operation = Operation::GenerateDataKey;
        let granted = self.ask(operation, None).await?;
        let ciphertext =
            granted.ciphertext.ok_or(KmsError::Answer { operation, why: "it holds no CiphertextBlob" })?;
        Ok((self.recipient.open(&granted.for_recipient)?, ciphertext))
    }

    /// The data key of a ciphertext.
    pub(super) async fn decrypt(&self, ciphertext: &[u8]) -> Result<DataKey, KmsError> {
        let granted = self.ask(Operation::Decrypt, Some(ciphertext)).await?;
        Ok(self.recipient.open(&granted.for_recipient)?)
    }

    /// Asks until there is an answer, or a reason that no waiting mends.
    async fn ask(&self, operation: Operation, ciphertext: Option<&[u8]>) -> Result<Granted, KmsError> {
        let mut pause = Duration::from_millis(KMS_FIRST_PAUSE_MS);
        for _ in 1..MAX_KMS_ATTEMPTS {
            match self.ask_once(operation, ciphertext).await {
                Err(error) if error.may_pass() => {}
                settled => return settled,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.ask_once(operation, ciphertext).await
    }

    async fn ask_once(&self, operation: Operation, ciphertext: Option<&[u8]>) -> Result<Granted, KmsError> {
        let credentials = self.credentials.credentials().await.map_err(KmsError::NoCredentials)?;
        if credentials.expires_at_ms <= self.clock.unix_ms() {
            return Err(KmsError::CredentialsExpired);
        }
        credentials.check().map_err(|error| KmsError::NoCredentials(error.into()))?;
        let statement = Statement::KmsRecipient { policy: self.policy.digest() }.encode();
        let document = self.documents.attest(Some(self.recipient.spki()), &statement).await;
        let body = answer::request(self.policy, &document.map_err(KmsError::Document)?, ciphertext);

        let (name, port) = (self.policy.host(), self.policy.port());
        let host = if port == HTTPS_PORT { name.to_owned() } else { format!("{name}:{port}") };
        let target = format!("TrentService.{operation}");
        let unsigned = Unsigned {
            host: &host,
            region: self.policy.key().region(),
            service: SERVICE,
            headers: &[("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &target)],
            body: &body,
        };
        let headers = sign(&unsigned, &credentials, self.clock.unix_ms());
        let answer = self
            .https
            .post(name, port, &headers, &body, MAX_KMS_ANSWER_BYTES)
            .await
            .map_err(|error| KmsError::of_https(error, name))?;
        answer::read(operation, &answer, self.policy)
    }
}
