//! What the operator does: admits tenants, lists them, suspends and resumes them; has the sealed state's keys rotated.
//! It sees nothing of tenants'.

mod billing;

use http::Method;
use r3e_proto::api::identity::{AdmitTenant, PublicKey, Tenant, TenantId, TenantState};
use r3e_proto::api::state::SealedState;
use r3e_proto::api::status::Status;
use r3e_proto::api::witness::{AdmitWitnessed, Witnessed};

use crate::channel::{AttestedChannel, to_json};
use crate::error::ClientError;
use crate::http::{Body, json, text};
use crate::input;
use crate::report_key::ReportKey;

/// A channel on which the operator is signed in.
#[derive(Debug)]
pub struct OperatorChannel {
    channel: AttestedChannel,
    report_key: ReportKey,
}

impl OperatorChannel {
    pub(crate) fn new(channel: AttestedChannel, report_key: ReportKey) -> Self {
        Self { channel, report_key }
    }

    /// Admits a tenant by its public key.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where it was admitted before.
    pub async fn admit(&mut self, public_key: PublicKey, name: &str) -> Result<Tenant, ClientError> {
        input::label("a tenant's name", name)?;
        let request = AdmitTenant { public_key, name: name.to_owned() };
        self.channel.post("the admission", "/v1/tenants", &request).await
    }

    /// Every tenant.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tenants(&mut self) -> Result<Vec<Tenant>, ClientError> {
        self.channel.get("the list of tenants", "/v1/tenants").await
    }

    /// Suspends a tenant, or lets it act again. Nothing of its is deleted.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where there is no such tenant.
    pub async fn set_state(&mut self, tenant: TenantId, state: TenantState) -> Result<Tenant, ClientError> {
        let name = "the tenant's new state";
        let path = format!("/v1/tenants/{tenant}/state");
        let body = to_json(name, &state)?;
        json(name, &self.channel.send(name, Method::PUT, &path, None, body).await?)
    }

    /// The sealed state: how far it is, and which epochs' keys it needs.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn state(&mut self) -> Result<SealedState, ClientError> {
        self.channel.get("the sealed state", "/v1/state").await
    }

    /// What the appliance counts as a whole, as OpenMetrics text: nothing of any tenant in particular.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn open_metrics(&mut self) -> Result<String, ClientError> {
        let name = "the appliance's metrics";
        text(name, self.channel.send(name, Method::GET, "/v1/operator/metrics", None, Body::Empty).await?)
    }

    /// Whether the channel is closed, by the appliance or a failure.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// Begins a new epoch of the sealed state's keys. Records move to it in the background.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` while records still move to the current epoch.
    pub async fn rotate_state(&mut self) -> Result<SealedState, ClientError> {
        let name = "the rotation";
        let sent = self.channel.send(name, Method::POST, "/v1/state/rotate", None, Body::Empty);
        json(name, &sent.await?)
    }

    /// Has the appliance remember the commits of another one, by its witness key.
    ///
    /// # Errors
    /// [`ClientError`]; `conflict` where it is admitted, `witness_not_offered` where the appliance is no witness.
    pub async fn admit_witnessed(&mut self, key: PublicKey, name: &str) -> Result<Witnessed, ClientError> {
        input::label("an appliance's name", name)?;
        let request = AdmitWitnessed { key, name: name.to_owned() };
        self.channel.post("the admission", "/v1/witnessed", &request).await
    }

    /// Every appliance whose commits are remembered.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn witnessed(&mut self) -> Result<Vec<Witnessed>, ClientError> {
        self.channel.get("the list of witnessed appliances", "/v1/witnessed").await
    }

    /// Serves a witness key no more. What was remembered of it is kept.
    ///
    /// # Errors
    /// [`ClientError`]; `not_found` where it is not admitted.
    pub async fn remove_witnessed(&mut self, key: PublicKey) -> Result<(), ClientError> {
        let path = format!("/v1/witnessed/{key}");
        self.channel.send("the removal", Method::DELETE, &path, None, Body::Empty).await.map(drop)
    }

    /// Remembers the appliance's state as it is after this channel's changes.
    ///
    /// # Errors
    /// [`ClientError::RolledBack`]; any other [`ClientError`].
    pub async fn check_state(&mut self) -> Result<Status, ClientError> {
        self.channel.check_state_of(&self.report_key).await
    }

    /// The channel beneath.
    pub fn channel(&mut self) -> &mut AttestedChannel {
        &mut self.channel
    }
}
