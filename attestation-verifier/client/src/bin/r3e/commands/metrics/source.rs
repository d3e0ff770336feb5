//! Where the metrics come from: one attested channel, which is kept while it lives.

use r3e_client::{ClientError, OperatorChannel, TenantChannel};
use r3e_proto::api::codes;

use crate::error::CliError;
use crate::session;
use crate::settings::Settings;

/// Asks the appliance. Each channel is opened, and appraised, as any other command's.
pub(super) struct Source {
    settings: Settings,
    is_operator: bool,
    channel: Option<Channel>,
}

enum Channel {
    Tenant(Box<TenantChannel>),
    Operator(Box<OperatorChannel>),
}

impl Source {
    /// One that has not connected yet.
    pub(super) fn new(settings: Settings, is_operator: bool) -> Self {
        Self { settings, is_operator, channel: None }
    }

    /// The metrics as they are now. Where the channel that was kept is found broken, they are asked for once more on a new one: they
    /// change nothing.
    ///
    /// # Errors
    /// [`CliError`].
    pub(super) async fn fetch(&mut self) -> Result<String, CliError> {
        if let Some(kept) = self.channel.take().filter(|kept| !kept.is_closed()) {
            let asked = self.ask(kept).await;
            // An answer that is no success is an answer: another channel would bring the same.
            if asked.is_ok() || self.channel.is_some() {
                return asked;
            }
        }
        let fresh = self.open().await?;
        self.ask(fresh).await
    }

    /// Asks on a channel, and keeps it if it is worth that. A question that is given up leaves no half-read channel behind.
    async fn ask(&mut self, mut channel: Channel) -> Result<String, CliError> {
        let asked = channel.ask().await;
        if !channel.is_closed() && !asked.as_ref().is_err_and(is_over) {
            self.channel = Some(channel);
        }
        asked
    }

    async fn open(&self) -> Result<Channel, CliError> {
        Ok(if self.is_operator {
            Channel::Operator(Box::new(session::operator(&self.settings).await?))
        } else {
            Channel::Tenant(Box::new(session::tenant(&self.settings).await?))
        })
    }
}

impl Channel {
    async fn ask(&mut self) -> Result<String, CliError> {
        Ok(match self {
            Self::Tenant(tenant) => tenant.open_metrics().await?,
            Self::Operator(operator) => operator.open_metrics().await?,
        })
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Tenant(tenant) => tenant.is_closed(),
            Self::Operator(operator) => operator.is_closed(),
        }
    }
}

/// Whether a channel that was answered so is of no more use: another appliance serves now, or another API key may have been saved.
fn is_over(error: &CliError) -> bool {
    let CliError::Client(ClientError::Api { code, .. }) = error else { return false };
    code == codes::SUPERSEDED || code == codes::UNAUTHENTICATED
}
