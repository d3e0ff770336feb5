//! `r3e tenants`.

use clap::Subcommand;
use r3e_client::SigningKey;
use r3e_proto::api::identity::{HexError, PublicKey, Tenant, TenantId, TenantState};

use super::keygen::{Keygen, Owner};
use crate::error::CliError;
use crate::output::{Printer, printable, table, time};
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a tenant's key
    #[command(after_help = "Example:\n  r3e tenants keygen --out tenant.pem")]
    Keygen(Keygen),
    /// Admit a tenant by its public key
    #[command(after_help = "Example:\n  r3e tenants admit 19bf44096984cdfe…6e1 --name 'Example dApp'")]
    Admit {
        /// The tenant's public key, 64 hex digits: `r3e tenants keygen` shows it
        public_key: String,
        /// What to call the tenant
        #[arg(long)]
        name: String,
    },
    /// List the tenants
    List,
    /// Suspend a tenant at once; its objects are kept
    #[command(after_help = "Example:\n  r3e tenants suspend 0123456789abcdef0123456789abcdef")]
    Suspend {
        /// The tenant's id, 32 hex digits
        tenant: String,
    },
    /// Let a suspended tenant act again
    Resume {
        /// The tenant's id, 32 hex digits
        tenant: String,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Keygen(keygen) => keygen.run(Owner::Tenant, &settings.key_file.value, printer),
        Command::Admit { public_key, name } => {
            let key: PublicKey = public_key.parse().map_err(|error| not_hex("a public key", error))?;
            if settings.operator_key().is_ok_and(|own: SigningKey| own.public_key() == key) {
                return Err(CliError::Usage(
                    "this is the operator's own key: a tenant needs one of its own".to_owned(),
                ));
            }
            let mut operator = session::operator(settings).await?;
            let tenant = operator.admit(key, &name).await?;
            printer
                .result(&tenant, |tenant| format!("admitted {} ({})", tenant.id, printable(&tenant.name)))?;
            session::remembered(operator.check_state().await)
        }
        Command::List => {
            let tenants = session::operator(settings).await?.tenants().await?;
            printer.result(&tenants, |tenants| list(tenants))
        }
        Command::Suspend { tenant } => set_state(&tenant, TenantState::Suspended, settings, printer).await,
        Command::Resume { tenant } => set_state(&tenant, TenantState::Active, settings, printer).await,
    }
}

async fn set_state(
    tenant: &str,
    state: TenantState,
    settings: &Settings,
    printer: Printer,
) -> Result<(), CliError> {
    let id: TenantId = tenant.parse().map_err(|error| not_hex("a tenant's id", error))?;
    let mut operator = session::operator(settings).await?;
    let tenant = operator.set_state(id, state).await?;
    printer.result(&tenant, |tenant| format!("{} is {}", tenant.id, word(tenant.state)))?;
    session::remembered(operator.check_state().await)
}

fn list(tenants: &[Tenant]) -> String {
    let rows: Vec<[String; 4]> = tenants
        .iter()
        .map(|t| [t.id.to_string(), word(t.state).to_owned(), time(t.admitted_at_ms), t.name.clone()])
        .collect();
    table(["TENANT", "STATE", "ADMITTED", "NAME"], &rows)
}

fn word(state: TenantState) -> &'static str {
    match state {
        TenantState::Active => "active",
        TenantState::Suspended => "suspended",
    }
}

fn not_hex(what: &str, error: HexError) -> CliError {
    CliError::Usage(format!("{what} has {} hex digits", error.expected_digits))
}
