//! `r3e whoami`.

use r3e_proto::api::identity::Whoami;

use super::keys::scopes;
use crate::error::CliError;
use crate::output::{Printer, fields};
use crate::session;
use crate::settings::Settings;

pub(crate) async fn run(settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let whoami = session::tenant(settings).await?.whoami().await?;
    printer.result(&whoami, human)
}

fn human(whoami: &Whoami) -> String {
    let tenant = whoami.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    let (by, may) = match &whoami.api_key {
        Some(key) => (format!("API key {} ({})", key.id, key.name), scopes(&key.scopes)),
        None => ("the tenant's own key".to_owned(), "everything of the tenant's".to_owned()),
    };
    fields(&[("tenant", tenant), ("by", by), ("may", may)])
}
