//! `r3e login`.

use clap::Args;
use r3e_client::{ApiKey, SignedInTenant};
use r3e_proto::api::identity::{Scope, TenantId};
use serde_json::json;
use zeroize::Zeroizing;

use super::keys::{ScopeArgument, scopes};
use crate::credentials;
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

/// What the key is called unless a name is given.
const KEY_NAME: &str = "r3e login";

#[derive(Debug, Args)]
#[command(after_help = "\
The API key is saved in ~/.config/r3e/credentials, readable by you alone. The one saved before for this
profile is revoked.

Example:
  r3e login --key-file tenant.pem --scope invoke")]
pub(crate) struct Login {
    /// What to call the API key
    #[arg(long, default_value = KEY_NAME)]
    name: String,
    /// What the API key may do; repeat for several [default: all]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<ScopeArgument>,
}

pub(crate) async fn run(command: Login, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let path = settings.credentials_path();
    credentials::prepare(&path)?;
    let before = credentials::load(&path)?;

    let mut signed_in = session::signed_in(settings).await?;
    let tenant = TenantId::of(&settings.signing_key()?.public_key());
    let wanted: Vec<Scope> = match command.scopes.as_slice() {
        [] => vec![Scope::Invoke, Scope::Deploy, Scope::Secrets, Scope::Wallets, Scope::Billing],
        some => some.iter().copied().map(Scope::from).collect(),
    };
    let created = signed_in.create_key(&command.name, &wanted).await?;
    let text = Zeroizing::new(created.secret);
    let key = ApiKey::parse(text)
        .map_err(|source| CliError::ApiKey { place: "the appliance's answer".to_owned(), source })?;
    if let Err(error) = credentials::save(&path, &key, tenant) {
        // A key that nobody has is of no use to anybody but a thief.
        signed_in.revoke_key(key.id()).await?;
        return Err(error);
    }
    if let Some(before) = before.filter(|before| before.tenant() == Some(tenant)) {
        revoke_before(&mut signed_in, before.id()).await;
    }
    let saved = json!({ "tenant": tenant, "key": created.key, "file": path });
    printer.result(&saved, |_| {
        let may = scopes(&created.key.scopes);
        format!("signed in as tenant {tenant}\nAPI key {} ({may}) saved in {}", key.id(), path.display())
    })?;
    session::remembered(signed_in.tenant().check_state().await)
}

/// The key of the login before is replaced: nobody knows it now.
async fn revoke_before(signed_in: &mut SignedInTenant, id: &str) {
    match signed_in.revoke_key(id).await {
        Ok(()) => {}
        Err(error) if error.code() == r3e_proto::api::codes::NOT_FOUND => {}
        Err(error) => {
            let error = CliError::from(error).chain();
            note(&format!("r3e: the API key {id}, saved before, was not revoked: {error}"));
        }
    }
}
