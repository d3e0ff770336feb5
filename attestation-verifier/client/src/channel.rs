//! The attested channel: that one exists means that its other end was appraised.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use r3e_attestation::AttestationResult;
use r3e_proto::api::codes;
use r3e_proto::api::identity::{SignIn, SignInRole, SignedIn, TenantId, sign_in_message};
use r3e_proto::api::status::{Health, Status};
use r3e_proto::api::unlock::{LockedStatus, Unlock};
use r3e_proto::channel::binding::{Digest, configuration_digest};
use r3e_proto::channel::evidence::Evidence;
use r3e_proto::limits::MAX_CONFIGURATION_BYTES;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api_key::ApiKey;
use crate::connector::Shared;
use crate::error::ClientError;
use crate::http::{ApiKeyHeader, Body, Call, HttpStream, answer, json};
use crate::limits::MAX_MESSAGE_BYTES;
use crate::operator::OperatorChannel;
use crate::report_key::ReportKey;
use crate::signing_key::SigningKey;
use crate::tenant::{SignedInTenant, TenantChannel, Whose};

/// A channel to an appliance whose attestation was appraised for this very TLS session. It is made by
/// [`crate::Connector`] alone. One request at a time; a failure closes it, and a new one is attested anew.
#[derive(Debug)]
pub struct AttestedChannel {
    http: HttpStream,
    attestation: AttestationResult,
    evidence: Evidence,
    binding: Digest,
    pub(crate) shared: Shared,
}

impl AttestedChannel {
    pub(crate) fn new(
        http: HttpStream,
        attestation: AttestationResult,
        evidence: Evidence,
        binding: Digest,
        shared: Shared,
    ) -> Self {
        Self { http, attestation, evidence, binding, shared }
    }

    /// What the appraisal found.
    pub fn attestation(&self) -> &AttestationResult {
        &self.attestation
    }

    /// The attestation document, as it came: for `r3e-verify`, or an archive.
    pub fn document(&self) -> &[u8] {
        &self.evidence.document
    }

    /// SHA-384 of the configuration, as PCR16 measured it.
    pub fn configuration_digest(&self) -> &Digest {
        &self.evidence.configuration
    }

    /// The session's binding: what the document commits to, and what a key signs to sign in.
    pub fn binding(&self) -> &Digest {
        &self.binding
    }

    /// Whether the channel is closed, by the appliance or a failure.
    pub fn is_closed(&self) -> bool {
        self.http.is_closed()
    }

    /// Whether the appliance says it is well.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn health(&mut self) -> Result<Health, ClientError> {
        self.get("the health check", "/v1/health").await
    }

    /// The appliance's state, in its own words.
    ///
    /// # Errors
    /// [`ClientError::Api`] with the code `locked` where it waits for its quorum; any other [`ClientError`].
    pub async fn status(&mut self) -> Result<Status, ClientError> {
        match self.get("the status", "/v1/status").await? {
            StatusAnswer::Serving(status) => Ok(*status),
            StatusAnswer::Locked(status) => Err(locked(&status)),
        }
    }

    /// The configuration that the appliance runs with, byte for byte as PCR16 measured it.
    ///
    /// # Errors
    /// [`ClientError::ConfigurationMismatch`] where the bytes are others; any other [`ClientError`].
    pub async fn configuration(&mut self) -> Result<Vec<u8>, ClientError> {
        let name = "the configuration";
        let bytes = self.send(name, Method::GET, "/v1/configuration", None, Body::Empty).await?;
        if bytes.len() > MAX_CONFIGURATION_BYTES {
            return Err(answer(name, &format!("over {MAX_CONFIGURATION_BYTES} bytes")));
        }
        if configuration_digest(&bytes) != self.evidence.configuration {
            return Err(ClientError::ConfigurationMismatch);
        }
        Ok(bytes.to_vec())
    }

    /// The key that signs receipts, with the document that attests it, appraised by this channel's policy.
    ///
    /// # Errors
    /// [`ClientError::ReportKey`] where it is not this appliance's; any other [`ClientError`].
    pub async fn report_key(&mut self) -> Result<ReportKey, ClientError> {
        let answer = self.get("the report key", "/v1/report-key").await?;
        ReportKey::appraise(&answer, &self.shared.policy, self.shared.clock.unix_ms(), &self.attestation)
    }

    /// Checks that the appliance is the one that is known at its address, and its state not older than one that this client
    /// has seen, and remembers both.
    ///
    /// # Errors
    /// As of [`Self::appliance`]; [`ClientError::RolledBack`]; any other [`ClientError`].
    pub async fn check_state(&mut self) -> Result<Status, ClientError> {
        let key = self.report_key().await?;
        self.check_state_of(&key).await
    }

    /// Signs the operator in for the rest of this session.
    ///
    /// # Errors
    /// [`ClientError::Api`] where the key is not the operator's; any other [`ClientError`].
    pub async fn sign_in_operator(mut self, key: &SigningKey) -> Result<OperatorChannel, ClientError> {
        let report_key = self.report_key().await?;
        self.check_state_of(&report_key).await?;
        self.sign_in(SignInRole::Operator, key).await?;
        Ok(OperatorChannel::new(self, report_key))
    }

    /// Signs a tenant in for the rest of this session.
    ///
    /// # Errors
    /// [`ClientError::Api`] where the key was not admitted; any other [`ClientError`].
    pub async fn sign_in_tenant(mut self, key: &SigningKey) -> Result<SignedInTenant, ClientError> {
        let report_key = self.report_key().await?;
        self.check_state_of(&report_key).await?;
        self.sign_in(SignInRole::Tenant, key).await?;
        let tenant = TenantId::of(&key.public_key());
        Ok(SignedInTenant::new(TenantChannel::new(self, report_key, Whose::Known(tenant), None)))
    }

    /// Acts for a tenant by one of its API keys. Whether the appliance takes it shows at the first request; whose it is,
    /// the appliance is asked before the first invocation, or by [`TenantChannel::whoami`].
    ///
    /// # Errors
    /// [`ClientError::RolledBack`]; any other [`ClientError`].
    pub async fn with_api_key(mut self, key: &ApiKey) -> Result<TenantChannel, ClientError> {
        let report_key = self.report_key().await?;
        self.check_state_of(&report_key).await?;
        let whose = key.tenant().map_or(Whose::Unknown, Whose::Claimed);
        Ok(TenantChannel::new(self, report_key, whose, Some(key.header())))
    }

    /// [`Self::check_state`] for a caller that has the report key.
    pub(crate) async fn check_state_of(&mut self, key: &ReportKey) -> Result<Status, ClientError> {
        // Taken before the question: an answer to another session of ours may pass this one on the way.
        let seen = self.seen(key)?;
        let status = self.status().await?;
        self.recognise(key, &status.identity)?;
        self.remember(key, seen, status.sequence)?;
        Ok(status)
    }

    /// The highest sequence number seen so far.
    pub(crate) fn seen(&self, key: &ReportKey) -> Result<Option<u64>, ClientError> {
        if self.shared.accept_rolled_back {
            return Ok(None);
        }
        Ok(self.shared.sequences.highest(key.public_key())?)
    }

    /// Refuses a sequence number below what was `seen` before the question, and remembers it otherwise.
    pub(crate) fn remember(
        &mut self,
        key: &ReportKey,
        seen: Option<u64>,
        now: u64,
    ) -> Result<(), ClientError> {
        if let Some(seen) = seen.filter(|seen| now < *seen) {
            return Err(ClientError::RolledBack { seen, now });
        }
        if self.shared.accept_rolled_back {
            // Once: from this number on, the channel's own memory counts again.
            self.shared.sequences.forget(key.public_key())?;
            self.shared.accept_rolled_back = false;
        }
        Ok(self.shared.sequences.raise(key.public_key(), now)?)
    }

    async fn sign_in(&mut self, role: SignInRole, key: &SigningKey) -> Result<(), ClientError> {
        let public_key = key.public_key();
        let signature = hex::encode(key.sign(&sign_in_message(role, &self.binding, &public_key)));
        let name = "the sign-in";
        let request = SignIn { role, public_key, signature };
        let signed_in: SignedIn = self.post(name, "/v1/sign-in", &request).await?;
        let expected = SignedIn {
            role,
            tenant: match role {
                SignInRole::Operator => None,
                SignInRole::Tenant => Some(TenantId::of(&public_key)),
            },
        };
        if signed_in == expected { Ok(()) } else { Err(answer(name, "it names another identity")) }
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        path: &str,
    ) -> Result<T, ClientError> {
        json(name, &self.send(name, Method::GET, path, None, Body::Empty).await?)
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = to_json(name, body)?;
        json(name, &self.send(name, Method::POST, path, None, body).await?)
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = to_json(name, body)?;
        json(name, &self.send(name, Method::PUT, path, None, body).await?)
    }

    pub(crate) async fn send(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        authorization: Option<&ApiKeyHeader>,
        body: Body,
    ) -> Result<Bytes, ClientError> {
        self.send_with(name, method, path, authorization, None, body).await
    }

    /// As [`Self::send`], with one more header.
    pub(crate) async fn send_with(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        authorization: Option<&ApiKeyHeader>,
        header: Option<(HeaderName, HeaderValue)>,
        body: Body,
    ) -> Result<Bytes, ClientError> {
        let limit_ms = self.shared.timeouts.request_ms;
        self.http.call(Call { name, method, path, authorization, header, body, limit_ms }).await
    }

    /// As [`Self::send_with`], for a request that waits for a tenant's code, or for what compiles it.
    pub(crate) async fn send_long(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        authorization: Option<&ApiKeyHeader>,
        header: Option<(HeaderName, HeaderValue)>,
        body: Body,
    ) -> Result<Bytes, ClientError> {
        let limit_ms = self.shared.timeouts.invocation_ms;
        self.http.call(Call { name, method, path, authorization, header, body, limit_ms }).await
    }
}

/// What the status route answers, by stage.
#[derive(Deserialize)]
#[serde(untagged)]
enum StatusAnswer {
    Serving(Box<Status>),
    Locked(Box<LockedStatus>),
}

/// A locked appliance's status as the refusal that its other routes answer with.
fn locked(status: &LockedStatus) -> ClientError {
    let Unlock { approved, threshold, detail, .. } = &status.locked;
    let threshold = threshold.unwrap_or_default();
    let mut message = format!(
        "the appliance is locked ({} of {threshold} members have approved): {detail}",
        approved.len()
    );
    message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
    ClientError::Api { status: StatusCode::LOCKED.as_u16(), code: codes::LOCKED.to_owned(), message }
}

/// A request's JSON.
pub(crate) fn to_json(name: &'static str, body: &impl Serialize) -> Result<Body, ClientError> {
    match serde_json::to_vec(body) {
        Ok(text) => Ok(Body::Json(text.into())),
        Err(error) => Err(answer(name, &error)),
    }
}

#[cfg(test)]
#[path = "channel_tests.rs"]
mod tests;
