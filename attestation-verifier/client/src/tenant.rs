//! What a tenant does: keeps secrets, deploys and invokes functions, and, with its own key, mints API keys and grants secrets.

mod billing;
mod feeds;
mod jobs;
mod neo_transactions;
mod random;
mod secrets;
mod transactions;
mod triggers;
mod versions;
mod wallets;
mod zk;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use r3e_proto::api::functions::{self, Deploy, Function};
use r3e_proto::api::identity::{ApiKey, CreateKey, CreatedKey, Scope, SignInRole, TenantId, Whoami};
use r3e_proto::api::status::Status;
use r3e_proto::api::versions::Promotion;
use r3e_proto::function_version::version;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::channel::{AttestedChannel, to_json};
use crate::error::ClientError;
use crate::http::{ApiKeyHeader, Body, answer, json, text};
use crate::input;
use crate::invocation::{Expected, Invocation};
use crate::report_key::ReportKey;
use crate::tenant::versions::promotion_query;

pub use jobs::{JobOptions, VerifiedJob, VerifiedOutcome};
pub use secrets::SetSecret;
pub use wallets::approve;

/// A channel on which requests are a tenant's: by its key, or by one of its API keys.
#[derive(Debug)]
pub struct TenantChannel {
    channel: AttestedChannel,
    report_key: ReportKey,
    whose: Whose,
    authorization: Option<ApiKeyHeader>,
}

/// Whose a channel's requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// An API key's, of which nobody has said whose it is.
    Unknown,
    /// As the API key's owner says; the appliance was not asked yet.
    Claimed(TenantId),
    /// As the tenant's own key or the appliance says. Receipts must name it.
    Known(TenantId),
}

impl TenantChannel {
    pub(crate) fn new(
        channel: AttestedChannel,
        report_key: ReportKey,
        whose: Whose,
        authorization: Option<ApiKeyHeader>,
    ) -> Self {
        Self { channel, report_key, whose, authorization }
    }

    /// Whose requests these are; none where the tenant's own key did not say so, and the appliance was not asked yet
    /// ([`Self::whoami`]).
    pub fn tenant(&self) -> Option<TenantId> {
        match self.whose {
            Whose::Known(tenant) => Some(tenant),
            Whose::Unknown | Whose::Claimed(_) => None,
        }
    }

    /// Asks the appliance whose requests these are, and by which API key. The first answer settles it for the channel.
    ///
    /// # Errors
    /// [`ClientError::OtherTenant`] where the API key is another tenant's than its owner said, or than the appliance said
    /// before; any other [`ClientError`].
    pub async fn whoami(&mut self) -> Result<Whoami, ClientError> {
        let name = "whose these requests are";
        let whoami: Whoami = self.get(name, "/v1/whoami").await?;
        let (SignInRole::Tenant, Some(found)) = (whoami.role, whoami.tenant) else {
            return Err(answer(name, &"it names no tenant"));
        };
        match self.whose {
            Whose::Claimed(expected) | Whose::Known(expected) if expected != found => {
                Err(ClientError::OtherTenant { expected, found })
            }
            _ => {
                self.whose = Whose::Known(found);
                Ok(whoami)
            }
        }
    }

    /// Whose receipts must be; asks the appliance at most once.
    async fn known_tenant(&mut self) -> Result<TenantId, ClientError> {
        if self.tenant().is_none() {
            self.whoami().await?;
        }
        self.tenant().ok_or_else(|| answer("whose these requests are", &"it names no tenant"))
    }

    /// Spares the question where another channel of the same credential has asked it.
    pub(crate) fn know_tenant(&mut self, tenant: TenantId) {
        self.whose = Whose::Known(tenant);
    }

    /// The key that signs this appliance's receipts.
    pub fn report_key(&self) -> &ReportKey {
        &self.report_key
    }

    /// The channel beneath.
    pub fn channel(&mut self) -> &mut AttestedChannel {
        &mut self.channel
    }

    /// Whether the channel is closed, by the appliance or a failure.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// Remembers the appliance's state as it is after this channel's changes.
    ///
    /// # Errors
    /// [`ClientError::RolledBack`]; any other [`ClientError`].
    pub async fn check_state(&mut self) -> Result<Status, ClientError> {
        self.channel.check_state_of(&self.report_key).await
    }

    /// What the appliance counts of the tenant's functions, jobs and feeds, as OpenMetrics text.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn open_metrics(&mut self) -> Result<String, ClientError> {
        let name = "the tenant's metrics";
        text(name, self.send(name, Method::GET, "/v1/metrics", Body::Empty).await?)
    }

    /// Every function.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn functions(&mut self) -> Result<Vec<Function>, ClientError> {
        self.get("the list of functions", "/v1/functions").await
    }

    /// One function.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn function(&mut self, name: &str) -> Result<Function, ClientError> {
        let path = function_path(name, "")?;
        self.get("the function", &path).await
    }

    /// Deploys a version of a function, and moves `prod` to it ([`Self::deploy_as`]).
    ///
    /// # Errors
    /// As of [`Self::deploy_as`].
    pub async fn deploy(&mut self, name: &str, deploy: &Deploy) -> Result<Function, ClientError> {
        self.deploy_as(name, deploy, &Promotion::default()).await
    }

    /// Deploys a version of a function beside those that are kept, and moves an alias to it as `promotion` says. The version in the
    /// answer was recomputed from the source, so that a receipt which names it is about this source.
    ///
    /// # Errors
    /// [`ClientError`]; `invalid_function` where the code was refused, `conflict` where the alias is at another revision than was
    /// expected.
    pub async fn deploy_as(
        &mut self,
        name: &str,
        deploy: &Deploy,
        promotion: &Promotion,
    ) -> Result<Function, ClientError> {
        let path = function_path(name, &promotion_query(promotion)?)?;
        let code = deploy.code()?;
        let name = "the deployment";
        let body = to_json(name, deploy)?;
        let authorization = self.authorization.as_ref();
        let sent = self.channel.send_long(name, Method::PUT, &path, authorization, None, body).await?;
        let function: Function = json(name, &sent)?;
        // The permissions and limits that count are those in the answer, brought into their one form.
        let expected =
            version(deploy.runtime, code, &function.permissions, &function.limits, deploy.instance);
        if function.version == hex::encode(expected) {
            Ok(function)
        } else {
            Err(answer(name, "its version is not the digest of what was deployed"))
        }
    }

    /// Deletes a function.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is none.
    pub async fn delete_function(&mut self, name: &str) -> Result<(), ClientError> {
        let path = function_path(name, "")?;
        self.send("the deletion", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// Invokes a function with an event, JSON text, and checks the receipt. `name` is `NAME`, `NAME@ALIAS` or `NAME@VERSION`; of a
    /// version, the receipt must name it.
    ///
    /// A function that failed is an [`Invocation`] too: its outcome says so, and the receipt vouches for it.
    ///
    /// # Errors
    /// [`ClientError::Receipt`] where the receipt does not hold, or is another tenant's; [`ClientError::OtherTenant`]; [`ClientError::RolledBack`] where it comes from an older
    /// state than one seen; any other [`ClientError`].
    pub async fn invoke(&mut self, name: &str, event: impl Into<Bytes>) -> Result<Invocation, ClientError> {
        self.invoke_for(name, None, event).await
    }

    /// The same, with a key by which events stay with one version of a split: 1 to 256 visible ASCII characters.
    ///
    /// # Errors
    /// As of [`Self::invoke`].
    pub async fn invoke_for(
        &mut self,
        name: &str,
        sticky: Option<&str>,
        event: impl Into<Bytes>,
    ) -> Result<Invocation, ClientError> {
        let reference = input::reference(name)?;
        let headers = sticky.map(input::sticky_key).transpose()?;
        let path = format!("/v1/functions/{name}/invocations");
        let event = event.into();
        // Before the event is sent: an invocation whose receipt nobody could check must not happen.
        let tenant = self.known_tenant().await?;
        let seen = self.channel.seen(&self.report_key)?;
        let (name, authorization) = ("the invocation", self.authorization.as_ref());
        let sent = Body::Json(event.clone());
        let body = self.channel.send_long(name, Method::POST, &path, authorization, headers, sent).await?;
        let answer: functions::Invocation = json("the invocation", &body)?;
        let expected = Expected {
            function: &reference,
            event: &event,
            tenant,
            configuration: self.channel.configuration_digest(),
            report_key: &self.report_key,
        };
        let invocation = Invocation::verify(answer, &expected)?;
        self.channel.remember(&self.report_key, seen, invocation.receipt().sequence)?;
        Ok(invocation)
    }

    async fn get<T: DeserializeOwned>(&mut self, name: &'static str, path: &str) -> Result<T, ClientError> {
        self.request(name, Method::GET, path, Body::Empty).await
    }

    async fn request_json<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = to_json(name, body)?;
        self.request(name, method, path, body).await
    }

    async fn request<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T, ClientError> {
        json(name, &self.send(name, method, path, body).await?)
    }

    async fn send_with(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        header: Option<(HeaderName, HeaderValue)>,
        body: Body,
    ) -> Result<Bytes, ClientError> {
        self.channel.send_with(name, method, path, self.authorization.as_ref(), header, body).await
    }

    async fn send(
        &mut self,
        name: &'static str,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Bytes, ClientError> {
        self.channel.send(name, method, path, self.authorization.as_ref(), body).await
    }
}

/// A tenant that signed in with its own key, and may mint API keys and grant secrets.
#[derive(Debug)]
pub struct SignedInTenant(TenantChannel);

impl SignedInTenant {
    pub(crate) fn new(channel: TenantChannel) -> Self {
        Self(channel)
    }

    /// Mints an API key. Its secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_key(&mut self, name: &str, scopes: &[Scope]) -> Result<CreatedKey, ClientError> {
        input::label("an API key's name", name)?;
        let request = CreateKey { name: name.to_owned(), scopes: scopes.to_vec() };
        self.0.request_json("the API key", Method::POST, "/v1/keys", &request).await
    }

    /// Every API key, without its secret.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn keys(&mut self) -> Result<Vec<ApiKey>, ClientError> {
        self.0.get("the list of API keys", "/v1/keys").await
    }

    /// Revokes an API key, at once.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such key.
    pub async fn revoke_key(&mut self, id: &str) -> Result<(), ClientError> {
        input::key_id(id)?;
        let path = format!("/v1/keys/{id}");
        self.0.send("the revocation", Method::DELETE, &path, Body::Empty).await.map(drop)
    }

    /// The tenant's channel.
    pub fn tenant(&mut self) -> &mut TenantChannel {
        &mut self.0
    }

    /// The tenant's channel alone.
    pub fn into_tenant(self) -> TenantChannel {
        self.0
    }
}

fn function_path(name: &str, after: &str) -> Result<String, ClientError> {
    path("/v1/functions/", "a function's name", name, after)
}

fn path(before: &str, what: &'static str, name: &str, after: &str) -> Result<String, ClientError> {
    input::name(what, name)?;
    Ok(format!("{before}{name}{after}"))
}
