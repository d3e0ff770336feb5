//! `r3e functions versions`, `alias`, `rollback`.

use clap::{Args, Subcommand};
use r3e_client::{ClientError, TenantChannel};
use r3e_proto::api::codes;
use r3e_proto::api::secrets::Actor;
use r3e_proto::api::versions::{Alias, Canary, Cause, FunctionVersion, PROD, Promotion, SetAlias, Target};
use serde_json::json;

use crate::error::CliError;
use crate::output::{Printer, table, time};
use crate::session;
use crate::settings::Settings;

/// Digits of a version that are shown in tables; more than enough to name it by.
const SHOWN_DIGITS: usize = 16;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the versions of a function that are kept, and the aliases that name them
    Versions {
        /// The function's name
        name: String,
    },
    /// Remove a version that no alias names
    #[command(after_help = "Example:\n  r3e functions remove-version price 3f2a9b")]
    RemoveVersion {
        /// The function's name
        name: String,
        /// The version, or its first digits
        #[arg(value_name = "VERSION")]
        digits: String,
    },
    /// Point names at versions of a function
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Point `prod` at what it pointed at before, at once
    #[command(after_help = "\
A second rollback goes one further back, and never to what the first one left. With --from, nothing is done
unless that version is the one there now: of two who roll back the same version at once, one does.

Example:
  r3e functions rollback price --from 3f2a9b")]
    Rollback {
        /// The function's name
        name: String,
        /// Another alias than prod
        #[arg(long, value_name = "ALIAS", default_value = PROD)]
        alias: String,
        /// Only if the alias points at this version now
        #[arg(long, value_name = "VERSION")]
        from: Option<String>,
        /// Only if this is the alias's revision now
        #[arg(long, value_name = "N")]
        if_revision: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    /// Point an alias at a version, or at two of them
    #[command(after_help = "\
If somebody else moved the alias since this command looked at it, nothing is changed and the command fails.

Examples:
  r3e functions alias set price staging 3f2a9b
  r3e functions alias set price prod 3f2a9b --canary 77c0de --percent 10")]
    Set {
        /// The function's name
        name: String,
        /// The alias
        alias: String,
        /// The version, or its first digits
        #[arg(value_name = "VERSION")]
        digits: String,
        /// A version that a part of the events go to instead
        #[arg(long, value_name = "VERSION", requires = "percent")]
        canary: Option<String>,
        /// Of a hundred events, so many go to it
        #[arg(long, value_name = "1-99", requires = "canary", value_parser = clap::value_parser!(u8).range(1..=99))]
        percent: Option<u8>,
        /// Only if this is the alias's revision; 0: only if there is no such alias
        #[arg(long, value_name = "N")]
        if_revision: Option<u64>,
    },
    /// Show the aliases of a function, and who moved them
    List {
        /// The function's name
        name: String,
    },
    /// Remove an alias
    Remove {
        /// The function's name
        name: String,
        /// The alias
        alias: String,
        /// Only if this is the alias's revision
        #[arg(long, value_name = "N")]
        if_revision: Option<u64>,
    },
}

/// What a deployment does beside keeping the version.
#[derive(Debug, Clone, Args)]
pub(crate) struct PromotionArguments {
    /// Keep the version and move no alias to it; a function's first deployment sets prod all the same
    #[arg(long, conflicts_with_all = ["alias", "if_revision"])]
    no_promote: bool,
    /// Move this alias to the version, instead of prod
    #[arg(long, value_name = "ALIAS")]
    alias: Option<String>,
    /// Only if this is the alias's revision; 0: only if there is no such alias. Without it, the revision is looked up first
    #[arg(long, value_name = "N")]
    if_revision: Option<u64>,
}

impl PromotionArguments {
    /// What is asked for, with the revision that the alias has now where none was given: what somebody else does meanwhile is not
    /// undone.
    pub(crate) async fn settled(self, tenant: &mut TenantChannel, name: &str) -> Result<Promotion, CliError> {
        if self.no_promote {
            return Ok(Promotion { promote: Some(false), ..Promotion::default() });
        }
        let if_revision = match self.if_revision {
            Some(revision) => revision,
            None => revision(tenant, name, self.alias.as_deref().unwrap_or(PROD)).await?,
        };
        Ok(Promotion { promote: None, alias: self.alias, if_revision: Some(if_revision) })
    }
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut tenant = session::tenant(settings).await?;
    match command {
        Command::Versions { name } => {
            let versions = tenant.versions(&name).await?;
            return printer.result(&versions, |versions| shown_versions(versions));
        }
        Command::Alias(AliasCommand::List { name }) => {
            let aliases = tenant.aliases(&name).await?;
            return printer.result(&aliases, |aliases| shown_aliases(aliases));
        }
        Command::RemoveVersion { name, digits } => {
            tenant.remove_version(&name, &digits).await?;
            printer
                .result(&json!({ "removed": digits }), |_| format!("{name}: removed the version {digits}"))?;
        }
        Command::Alias(AliasCommand::Set { name, alias, digits, canary, percent, if_revision }) => {
            let if_revision = match if_revision {
                Some(revision) => revision,
                None => revision(&mut tenant, &name, &alias).await?,
            };
            let canary = canary.zip(percent).map(|(version, percent)| Canary { version, percent });
            let set = SetAlias { version: digits, canary, if_revision: Some(if_revision) };
            told(printer, &name, &tenant.set_alias(&name, &alias, &set).await?)?;
        }
        Command::Alias(AliasCommand::Remove { name, alias, if_revision }) => {
            tenant.remove_alias(&name, &alias, if_revision).await?;
            printer.result(&json!({ "removed": alias }), |_| format!("{name}: removed the alias {alias}"))?;
        }
        Command::Rollback { name, alias, from, if_revision } => {
            let now = tenant.alias(&name, &alias).await?;
            if let Some(from) = from.filter(|from| !now.target.version.starts_with(from.as_str())) {
                let there = digits(&now.target.version);
                return Err(CliError::Usage(format!(
                    "{alias} points at {there} now, not at {from}: somebody moved it already, and nothing was done"
                )));
            }
            let if_revision = if_revision.or(Some(now.revision));
            told(printer, &name, &tenant.roll_back_alias(&name, &alias, if_revision).await?)?;
        }
    }
    session::remembered(tenant.check_state().await)
}

/// An alias's revision; 0 where there is none.
async fn revision(tenant: &mut TenantChannel, name: &str, alias: &str) -> Result<u64, CliError> {
    match tenant.alias(name, alias).await {
        Ok(alias) => Ok(alias.revision),
        Err(ClientError::Api { code, .. }) if code == codes::NOT_FOUND => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn told(printer: Printer, name: &str, alias: &Alias) -> Result<(), CliError> {
    printer.result(alias, |alias| {
        format!("{name}@{} is {} (revision {})", alias.name, target(&alias.target), alias.revision)
    })
}

fn shown_versions(versions: &[FunctionVersion]) -> String {
    let row = |version: &FunctionVersion| {
        let function = &version.function;
        let aliases = version.aliases.join(", ");
        [digits(&function.version), time(function.deployed_at_ms), function.source_bytes.to_string(), aliases]
    };
    table(["VERSION", "DEPLOYED", "BYTES", "ALIASES"], &versions.iter().map(row).collect::<Vec<_>>())
}

fn shown_aliases(aliases: &[Alias]) -> String {
    let mut rows = Vec::new();
    for alias in aliases {
        // The latest first: what it is now, then how it came there.
        for (nth, one) in alias.moves.iter().rev().enumerate() {
            let name = if nth == 0 { alias.name.clone() } else { String::new() };
            let cause = match one.cause {
                Cause::Deploy => "deploy",
                Cause::Set => "set",
                Cause::Rollback => "rollback",
            };
            rows.push([
                name,
                one.revision.to_string(),
                target(&one.target),
                cause.to_owned(),
                time(one.at_ms),
                actor(&one.by),
            ]);
        }
    }
    table(["ALIAS", "REVISION", "VERSION", "BY", "WHEN", "WHO"], &rows)
}

fn target(target: &Target) -> String {
    match &target.canary {
        None => digits(&target.version),
        Some(Canary { version, percent }) => {
            format!("{}, {percent} % {}", digits(&target.version), digits(version))
        }
    }
}

fn actor(by: &Actor) -> String {
    match by {
        Actor::Tenant {} => "the tenant".to_owned(),
        Actor::ApiKey { id } => format!("API key {id}"),
        other => format!("{other:?}"),
    }
}

fn digits(version: &str) -> String {
    version.get(..SHOWN_DIGITS).unwrap_or(version).to_owned()
}
