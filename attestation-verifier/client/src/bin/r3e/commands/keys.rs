//! `r3e keys`.

use clap::{Subcommand, ValueEnum};
use r3e_proto::api::identity::{ApiKey, Scope};

use crate::error::CliError;
use crate::output::{Printer, note, table, time};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Mint an API key; its secret is shown this once
    #[command(after_help = "Example:\n  r3e keys create backend --scope invoke")]
    Create {
        /// What to call the key
        name: String,
        /// What the key may do; repeat for several
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<ScopeArgument>,
    },
    /// List the API keys, without their secrets
    List,
    /// Revoke an API key, at once
    #[command(after_help = "Example:\n  r3e keys revoke 0123456789abcdef")]
    Revoke {
        /// The key's id, 16 hex digits
        id: String,
    },
}

/// A scope, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeArgument {
    /// Invoke functions, and read their logs and the tenant's metrics
    Invoke,
    /// Deploy, list and delete functions
    Deploy,
    /// Set, list and delete secrets
    Secrets,
    /// Show wallets, and ask for signatures where a wallet's policy lets API keys
    Wallets,
    /// Show usage, balance and ledger
    Billing,
}

impl From<ScopeArgument> for Scope {
    fn from(argument: ScopeArgument) -> Self {
        match argument {
            ScopeArgument::Invoke => Self::Invoke,
            ScopeArgument::Deploy => Self::Deploy,
            ScopeArgument::Secrets => Self::Secrets,
            ScopeArgument::Wallets => Self::Wallets,
            ScopeArgument::Billing => Self::Billing,
        }
    }
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::signed_in(settings).await?;
    match command {
        Command::Create { name, scopes } => {
            let scopes: Vec<Scope> = scopes.into_iter().map(Scope::from).collect();
            let created = tenant.create_key(&name, &scopes).await?;
            note("r3e: this is the only time that the key is shown");
            printer.result(&created, |created| created.secret.clone())?;
        }
        Command::List => {
            let keys = tenant.keys().await?;
            return printer.result(&keys, |keys| list(keys));
        }
        Command::Revoke { id } => {
            tenant.revoke_key(&id).await?;
            printer.result(&serde_json::json!({ "revoked": id }), |_| format!("revoked {id}"))?;
        }
    }
    session::remembered(tenant.tenant().check_state().await)
}

fn list(keys: &[ApiKey]) -> String {
    let rows: Vec<[String; 4]> = keys
        .iter()
        .map(|key| [key.id.clone(), scopes(&key.scopes), time(key.created_at_ms), key.name.clone()])
        .collect();
    table(["KEY", "SCOPES", "CREATED", "NAME"], &rows)
}

/// Scopes as words.
pub(crate) fn scopes(scopes: &[Scope]) -> String {
    let word = |scope: &Scope| match scope {
        Scope::Invoke => "invoke",
        Scope::Deploy => "deploy",
        Scope::Secrets => "secrets",
        Scope::Wallets => "wallets",
        Scope::Billing => "billing",
    };
    scopes.iter().map(word).collect::<Vec<_>>().join(",")
}
