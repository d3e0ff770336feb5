//! A tenant's channel that is opened when it is needed and kept while it lives.

use r3e_proto::api::identity::TenantId;

use crate::api_key::ApiKey;
use crate::connector::Connector;
use crate::error::ClientError;
use crate::signing_key::SigningKey;
use crate::tenant::TenantChannel;

/// How a tenant shows who it is.
#[derive(Debug)]
pub enum Credential {
    /// By its own key, on each session anew.
    Key(SigningKey),
    /// By an API key, with each request.
    ApiKey(ApiKey),
}

/// Keeps one attested channel open for a tenant. When the channel has closed, the next use opens another, which is
/// attested and checked for rollback like the first. A request that failed is never sent again: whether the appliance
/// has acted on it, only the caller can find out.
#[derive(Debug)]
pub struct TenantClient {
    connector: Connector,
    credential: Credential,
    channel: Option<TenantChannel>,
    /// Whose the credential is, once the appliance or the key has said it: it does not change from channel to channel.
    tenant: Option<TenantId>,
}

impl TenantClient {
    /// A client that has not connected yet.
    pub fn new(connector: Connector, credential: Credential) -> Self {
        Self { connector, credential, channel: None, tenant: None }
    }

    /// The open channel, or a new one.
    ///
    /// # Errors
    /// [`ClientError`], as of [`Connector::connect`] and signing in.
    pub async fn channel(&mut self) -> Result<&mut TenantChannel, ClientError> {
        let before = self.channel.take();
        self.tenant = self.tenant.or_else(|| before.as_ref().and_then(TenantChannel::tenant));
        let open = match before {
            Some(channel) if !channel.is_closed() => channel,
            _ => self.open().await?,
        };
        Ok(self.channel.insert(open))
    }

    async fn open(&self) -> Result<TenantChannel, ClientError> {
        let channel = self.connector.connect().await?;
        match &self.credential {
            Credential::Key(key) => Ok(channel.sign_in_tenant(key).await?.into_tenant()),
            Credential::ApiKey(key) => {
                let mut channel = channel.with_api_key(key).await?;
                if let Some(tenant) = self.tenant {
                    channel.know_tenant(tenant);
                }
                Ok(channel)
            }
        }
    }
}
