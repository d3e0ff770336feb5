//! `r3e triggers` and `r3e publish`.

mod shown;

use clap::{Args, Subcommand};
use r3e_proto::api::triggers::Definition;
use serde_json::json;

use super::invoke::event;
use crate::error::CliError;
use crate::output::{Printer, note};
use crate::session;
use crate::settings::Settings;

const CREATE_HELP: &str = "\
The definition is JSON: the function, and exactly one of cron, http, event, chain and price. docs/triggers.md has all of its fields.

Examples:
  r3e triggers create hourly --definition '{\"function\":\"report\",\"cron\":{\"schedule\":\"0 * * * *\"}}'
  r3e triggers create paid --definition @paid.json
  r3e triggers create paid --json --definition '{\"function\":\"ship\",\"event\":{\"topic\":\"order.paid\"},
      \"filter\":\"event.data.total > 100\"}'
  r3e triggers create gas --definition '{\"function\":\"note\",\"chain\":{\"network\":\"neo-n3:860833102\",
      \"contract\":\"0xd2a4cff31913016155e38e474a2c06d08be276cf\",\"event\":\"Transfer\"}}'
  r3e triggers create dear --definition '{\"function\":\"note\",\"price\":{\"feed\":\"neo-usd\",\"above\":\"50\"}}'";

const FIRE_HELP: &str = "\
The event that the function is given has `manual: true` and the data; the trigger's filter and transform apply.

Example:
  r3e triggers fire hourly --input '{\"since\":\"2026-11-01\"}'";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the triggers
    #[command(after_help = "Example:\n  r3e triggers list --json | jq '.[].name'")]
    List,
    /// Show one trigger, with the path of its public route, or how far its chain or feed was read
    #[command(after_help = "Example:\n  r3e triggers show paid --json | jq -r .hook")]
    Show {
        /// The trigger's name
        name: String,
    },
    /// Make a trigger, or give it another definition
    #[command(after_help = CREATE_HELP)]
    Create {
        /// The trigger's name
        name: String,
        /// The definition: JSON text, @FILE, or - for standard input
        #[arg(long, value_name = "JSON|@FILE|-")]
        definition: String,
    },
    /// Delete a trigger; jobs that it queued stay
    #[command(after_help = "Example:\n  r3e triggers delete hourly")]
    Delete {
        /// The trigger's name
        name: String,
    },
    /// Have a trigger fire nothing until it is resumed
    #[command(after_help = "Example:\n  r3e triggers pause hourly")]
    Pause {
        /// The trigger's name
        name: String,
    },
    /// Have a trigger fire again; ticks that passed meanwhile do not fire
    #[command(after_help = "Example:\n  r3e triggers resume hourly")]
    Resume {
        /// The trigger's name
        name: String,
    },
    /// Fire a trigger by hand, and print the job's id
    #[command(after_help = FIRE_HELP)]
    Fire {
        /// The trigger's name
        name: String,
        /// The data: JSON text, @FILE, or - for standard input
        #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
        input: String,
    },
    /// Show the last times that a trigger fired, the latest first
    #[command(after_help = "Example:\n  r3e triggers history hourly --json | jq '.[0].outcome'")]
    History {
        /// The trigger's name
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
The event goes to all triggers of the topic; one line each says which job it queued, or why none.

Examples:
  r3e publish order.paid --input '{\"order\":7,\"total\":120}'
  r3e publish order.paid --input @order.json --idempotency-key order-7 --json")]
pub(crate) struct Publish {
    /// The topic
    topic: String,
    /// The data: JSON text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-", default_value = "null")]
    input: String,
    /// Makes this event published again the same one
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let read = match &command {
        Command::Create { definition, .. } => Some(definition_of(definition)?),
        _ => None,
    };
    let mut tenant = session::tenant(settings).await?;
    match command {
        Command::List => {
            let triggers = tenant.triggers().await?;
            return printer.result(&triggers, |triggers| shown::list(triggers));
        }
        Command::Show { name } => {
            return printer.result(&tenant.trigger(&name).await?, shown::one);
        }
        Command::History { name } => {
            let history = tenant.trigger_history(&name).await?;
            return printer.result(&history, |history| shown::history(history));
        }
        Command::Create { name, .. } => {
            let Some(definition) = read else { return Ok(()) };
            printer.result(&tenant.set_trigger(&name, &definition).await?, shown::one)?;
        }
        Command::Delete { name } => {
            tenant.delete_trigger(&name).await?;
            printer.result(&json!({ "deleted": name }), |_| format!("deleted {name}"))?;
        }
        Command::Pause { name } => {
            let trigger = tenant.pause_trigger(&name, true).await?;
            printer.result(&trigger, |trigger| format!("paused {}", trigger.name))?;
        }
        Command::Resume { name } => {
            let trigger = tenant.pause_trigger(&name, false).await?;
            printer.result(&trigger, |trigger| format!("resumed {}", trigger.name))?;
        }
        Command::Fire { name, input } => {
            let fired = tenant.fire_trigger(&name, event(&input)?).await?;
            printer.result(&fired, shown::fired)?;
            if let Some(job) = fired.job {
                note(&format!("r3e: queued; `r3e jobs wait {job}` gives its result"));
            }
        }
    }
    session::remembered(tenant.check_state().await)
}

pub(crate) async fn publish(command: Publish, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let Publish { topic, input, idempotency_key } = command;
    let data = event(&input)?;
    let mut tenant = session::tenant(settings).await?;
    let published = tenant.publish(&topic, data, idempotency_key.as_deref()).await?;
    printer.result(&published, shown::published)?;
    session::remembered(tenant.check_state().await)
}

fn definition_of(text: &str) -> Result<Definition, CliError> {
    let json = event(text)?;
    serde_json::from_slice(&json).map_err(|error| CliError::Usage(format!("--definition: {error}")))
}
