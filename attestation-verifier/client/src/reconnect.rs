//! A tenant's channel that is opened when it is needed and kept while it lives, over restarts and upgrades of the
//! appliance.

use std::time::Duration;

use r3e_proto::api::codes;
use r3e_proto::api::identity::TenantId;
use tokio::time::{Instant, sleep};

use crate::api_key::ApiKey;
use crate::connector::Connector;
use crate::error::{ClientError, ErrorClass};
use crate::limits::{RECONNECT_PATIENCE_MS, RECONNECT_PAUSE_MS};
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

/// Whether a request may be sent again where nobody knows if the appliance has acted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// No: done twice, it is another thing than done once. The caller is told, and finds out.
    Never,
    /// Yes: it reads, or sets what it sets to the same value.
    Idempotent,
}

/// Keeps one attested channel open for a tenant. When the channel has closed, the next use opens another, which is
/// attested and checked for rollback like the first. [`Self::channel`] sends nothing twice; [`Self::attempts`] is for a request
/// that is made again where it is certain that nothing was done, as while an appliance hands over to its successor.
#[derive(Debug)]
pub struct TenantClient {
    connector: Connector,
    credential: Credential,
    channel: Option<TenantChannel>,
    /// Whose the credential is, once the appliance or the key has said it: it does not change from channel to channel.
    tenant: Option<TenantId>,
    patience: Duration,
}

impl TenantClient {
    /// A client that has not connected yet.
    pub fn new(connector: Connector, credential: Credential) -> Self {
        let patience = Duration::from_millis(RECONNECT_PATIENCE_MS);
        Self { connector, credential, channel: None, tenant: None, patience }
    }

    /// How long [`Self::attempts`] go on; [`RECONNECT_PATIENCE_MS`] by default.
    #[must_use]
    pub fn with_patience_ms(mut self, patience_ms: u64) -> Self {
        self.patience = Duration::from_millis(patience_ms);
        self
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

    /// Attempts at one request: it is made again while the appliance cannot be reached, hands over to a successor, or was
    /// superseded, on the channel there is or on a new one, whose other end is appraised anew, by the same policy.
    ///
    /// ```no_run
    /// # async fn example(client: &mut r3e_client::TenantClient) -> Result<(), r3e_client::ClientError> {
    /// let mut attempts = client.attempts(r3e_client::Resend::Never);
    /// let invocation = loop {
    ///     match attempts.channel().await?.invoke("price", "{}").await {
    ///         Ok(invocation) => break invocation,
    ///         Err(error) => attempts.failed(error).await?,    // an error ends it; otherwise, once more
    ///     }
    /// };
    /// # Ok(()) }
    /// ```
    pub fn attempts(&mut self, resend: Resend) -> Attempts<'_> {
        let deadline = Instant::now() + self.patience;
        Attempts { client: self, resend, deadline }
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

/// Attempts at one request, until one succeeds, trying again does not help, or there is no more patience.
#[derive(Debug)]
pub struct Attempts<'a> {
    client: &'a mut TenantClient,
    resend: Resend,
    deadline: Instant,
}

impl Attempts<'_> {
    /// The open channel, or a new one, for the next attempt.
    ///
    /// # Errors
    /// [`ClientError`]: a policy that does not accept what answers, or there is no more patience.
    pub async fn channel(&mut self) -> Result<&mut TenantChannel, ClientError> {
        while let Err(error) = self.client.channel().await.map(drop) {
            // Nothing of the request was sent, and whatever was sent proves who is asking.
            self.pause_after(error, Resend::Idempotent).await?;
        }
        // The one that was just opened, or was open.
        self.client.channel().await
    }

    /// After a failure of the request: waits a little, and then it is to be made again.
    ///
    /// A request that broke off, so that nobody knows whether it was done, is made again only if it is
    /// [`Resend::Idempotent`].
    ///
    /// # Errors
    /// The same error: trying again does not help, or must not be done, or there is no more patience.
    pub async fn failed(&mut self, error: ClientError) -> Result<(), ClientError> {
        if is_superseded(&error) {
            // Even one that says so and keeps the channel open is not the appliance any more.
            self.client.channel = None;
        }
        self.pause_after(error, self.resend).await
    }

    async fn pause_after(&self, error: ClientError, resend: Resend) -> Result<(), ClientError> {
        let pause = Duration::from_millis(RECONNECT_PAUSE_MS);
        if !goes_on(&error, resend) || Instant::now() + pause >= self.deadline {
            return Err(error);
        }
        sleep(pause).await;
        Ok(())
    }
}

/// Whether to try again after a failure.
fn goes_on(error: &ClientError, resend: Resend) -> bool {
    match error {
        // Both are answered before anything is done.
        ClientError::Api { code, .. } if code == codes::HANDING_OVER => true,
        ClientError::Closed => true,
        error if is_superseded(error) => true,
        // Another kind of server does not become an appliance.
        ClientError::NotR3e(_) => false,
        // Written or not, the same value may be written again.
        ClientError::Api { code, .. } if code == codes::STORE_UNAVAILABLE => resend == Resend::Idempotent,
        error => resend == Resend::Idempotent && error.class() == ErrorClass::Connection,
    }
}

fn is_superseded(error: &ClientError) -> bool {
    matches!(error, ClientError::Api { code, .. } if code == codes::SUPERSEDED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NotR3e;

    fn api(code: &str) -> ClientError {
        ClientError::Api { status: 503, code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn what_may_have_been_done_is_sent_again_only_if_that_changes_nothing() {
        let broke =
            || ClientError::Transport { during: "a request", source: std::io::ErrorKind::BrokenPipe.into() };
        let late = || ClientError::Timeout { awaited: "a request", limit_ms: 1 };
        for (error, never, idempotent) in [
            (api(codes::HANDING_OVER), true, true),
            (api(codes::SUPERSEDED), true, true),
            (ClientError::Closed, true, true),
            (broke(), false, true),
            (late(), false, true),
            (api(codes::STORE_UNAVAILABLE), false, true),
            (api(codes::STORE_TAMPERED), false, false),
            (api(codes::FORBIDDEN), false, false),
            (ClientError::NotR3e(NotR3e::NotTls), false, false),
            (ClientError::RolledBack { seen: 2, now: 1 }, false, false),
            (ClientError::ConfigurationMismatch, false, false),
        ] {
            assert_eq!(goes_on(&error, Resend::Never), never, "{error}");
            assert_eq!(goes_on(&error, Resend::Idempotent), idempotent, "{error}");
        }
    }
}
