//! `r3e secrets`.

pub(super) mod duration;
mod shown;
mod value;

use clap::Subcommand;
use r3e_client::SetSecret;
use r3e_proto::api::secrets::{Grantee, Secret};
use serde_json::json;

pub(crate) use self::value::Value;
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

const SET_HELP: &str = "\
The value is never an argument, which every process of this machine can see. From standard input, one
line feed (or CR LF) at the end is left out, since `echo` and editors add one; a file is taken byte for byte.

A function reads a secret if its manifest names it and the secret is for that function. --for needs the
tenant's own key: no API key can decide who reads a secret. FUNCTION means whatever is deployed under the
name, by whoever may deploy; FUNCTION@VERSION means that code alone.

Examples:
  printf %s \"$TOKEN\" | r3e secrets set API_TOKEN --for price
  r3e secrets set SERVICE_ACCOUNT --file service-account.json --expires-in 90d";

const ROTATE_HELP: &str = "\
The new version is current at once. If somebody else changed the secret since this command looked at it, nothing is
changed and the command fails.

Examples:
  printf %s \"$NEW\" | r3e secrets rotate API_TOKEN --keep-previous-for 7d
  printf %s \"$NEW\" | r3e secrets rotate API_TOKEN --keep-previous-for 0     # the old one leaked";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set a secret to the value on standard input, or in a file
    #[command(after_help = SET_HELP)]
    Set {
        /// The secret's name
        name: String,
        #[command(flatten)]
        value: Value,
        /// A function that may read it, besides those that may already; repeat for several
        #[arg(long = "for", value_name = "FUNCTION[@VERSION]", value_parser = grantee)]
        grantees: Vec<Grantee>,
        /// Give it to no function after this time: 90s, 15m, 12h, 30d
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        expires_in: Option<u64>,
        /// Keep the earlier versions for a rollback no longer than this; 0 deletes them now
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        keep_previous_for: Option<u64>,
        /// Only if this version is current now; 0: only if there is no such secret
        #[arg(long, value_name = "N")]
        if_version: Option<u64>,
    },
    /// Replace the value of a secret that stands
    #[command(after_help = ROTATE_HELP)]
    Rotate {
        /// The secret's name
        name: String,
        #[command(flatten)]
        value: Value,
        /// Keep the earlier versions for a rollback no longer than this; 0 deletes them now
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        keep_previous_for: Option<u64>,
        /// Give the new version to no function after this time: 90s, 15m, 12h, 30d
        #[arg(long, value_name = "TIME", value_parser = duration::parse)]
        expires_in: Option<u64>,
    },
    /// List the secrets; nothing shows a value
    List,
    /// Show one secret: its versions, and whom it is for
    Show {
        /// The secret's name
        name: String,
    },
    /// Show the versions of a secret
    Versions {
        /// The secret's name
        name: String,
    },
    /// Make the value of an earlier version current again, as a new version
    #[command(after_help = "Example:\n  r3e secrets rollback API_TOKEN 3")]
    Rollback {
        /// The secret's name
        name: String,
        /// The version whose value is to be current again
        #[arg(value_name = "VERSION")]
        to: u64,
        /// Only if this version is current now
        #[arg(long, value_name = "N")]
        if_version: Option<u64>,
    },
    /// Let functions read a secret; needs the tenant's own key
    #[command(after_help = "Example:\n  r3e secrets grant API_TOKEN price")]
    Grant {
        /// The secret's name
        name: String,
        /// The functions: whatever is deployed under the name, or one version of it alone
        #[arg(required = true, value_name = "FUNCTION[@VERSION]", value_parser = grantee)]
        grantees: Vec<Grantee>,
    },
    /// Let functions read a secret no longer, at once; needs the tenant's own key
    #[command(after_help = "Example:\n  r3e secrets revoke API_TOKEN price")]
    Revoke {
        /// The secret's name
        name: String,
        /// The functions: all that is granted to the name, or to one version of it
        #[arg(required = true, value_name = "FUNCTION[@VERSION]", value_parser = grantee)]
        grantees: Vec<Grantee>,
    },
    /// Delete a secret, with all its versions; what the audit log says of it stays
    Delete {
        /// The secret's name
        name: String,
    },
    /// Show who read and changed the secrets, and who was refused
    #[command(after_help = "Example:\n  r3e secrets audit API_TOKEN --after 1200 --json")]
    Audit {
        /// Of this secret alone
        name: Option<String>,
        /// Only entries with a higher number
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
    },
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    match command {
        Command::Set { name, value, grantees, expires_in, keep_previous_for, if_version } => {
            let value = value.read()?;
            let options =
                SetSecret { expires_in_ms: expires_in, keep_previous_ms: keep_previous_for, if_version };
            let mut signed_in;
            let mut by_any;
            let (secret, channel) = if grantees.is_empty() {
                by_any = session::tenant(settings).await?;
                (by_any.set_secret_with(&name, value, &options).await?, &mut by_any)
            } else {
                signed_in = session::signed_in(settings).await?;
                (signed_in.set_secret_for(&name, value, &options, &grantees).await?, signed_in.tenant())
            };
            told(printer, &secret)?;
            session::remembered(channel.check_state().await)
        }
        Command::Rotate { name, value, keep_previous_for, expires_in } => {
            let value = value.read()?;
            let mut tenant = session::tenant(settings).await?;
            let options = SetSecret {
                expires_in_ms: expires_in,
                keep_previous_ms: keep_previous_for,
                if_version: Some(tenant.secret(&name).await?.secret.version),
            };
            let secret = tenant.set_secret_with(&name, value, &options).await?;
            told(printer, &secret)?;
            session::remembered(tenant.check_state().await)
        }
        Command::List => {
            let secrets = session::tenant(settings).await?.secrets().await?;
            printer.result(&secrets, |secrets| shown::list(secrets))
        }
        Command::Show { name } => {
            let details = session::tenant(settings).await?.secret(&name).await?;
            printer.result(&details, shown::details)
        }
        Command::Versions { name } => {
            let details = session::tenant(settings).await?.secret(&name).await?;
            printer.result(&details.versions, |versions| shown::versions(versions))
        }
        Command::Rollback { name, to, if_version } => {
            let mut tenant = session::tenant(settings).await?;
            let secret = tenant.rollback_secret(&name, to, if_version).await?;
            printer.result(&secret, |secret| {
                format!("{}: version {} has the value of version {to}", secret.name, secret.version)
            })?;
            session::remembered(tenant.check_state().await)
        }
        Command::Grant { name, grantees } => regrant(settings, printer, &name, &grantees, true).await,
        Command::Revoke { name, grantees } => regrant(settings, printer, &name, &grantees, false).await,
        Command::Delete { name } => {
            let mut tenant = session::tenant(settings).await?;
            tenant.delete_secret(&name).await?;
            printer.result(&json!({ "deleted": name }), |_| format!("deleted {name}"))?;
            session::remembered(tenant.check_state().await)
        }
        Command::Audit { name, after } => {
            let log = session::tenant(settings).await?.secret_audit(name.as_deref(), after).await?;
            printer.result(&log, shown::audit)
        }
    }
}

async fn regrant(
    settings: &Settings,
    printer: Printer,
    name: &str,
    grantees: &[Grantee],
    granted: bool,
) -> Result<(), CliError> {
    let mut tenant = session::signed_in(settings).await?;
    let mut secret = None;
    for grantee in grantees {
        secret = Some(if granted {
            tenant.grant_secret(name, grantee).await?
        } else {
            tenant.revoke_secret(name, grantee).await?
        });
    }
    if let Some(secret) = &secret {
        printer.result(secret, |secret| format!("{} is for {}", secret.name, shown::grants(secret)))?;
    }
    session::remembered(tenant.tenant().check_state().await)
}

/// Says that a version was set, and what is missing before anything can read it.
fn told(printer: Printer, secret: &Secret) -> Result<(), CliError> {
    printer.result(secret, |secret| {
        format!("set {} ({} bytes), version {}", secret.name, secret.value_bytes, secret.version)
    })?;
    if secret.grants.is_empty() {
        note(&format!(
            "r3e: no function may read {0} yet: `r3e secrets grant {0} FUNCTION`, or --for when it is set",
            secret.name
        ));
    }
    Ok(())
}

fn grantee(text: &str) -> Result<Grantee, String> {
    Grantee::parse(text).ok_or_else(|| {
        "a function's name, or the name, @ and a version of 64 lower-case hex digits".to_owned()
    })
}
