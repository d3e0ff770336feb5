//! `r3e state`.

use clap::Subcommand;
use r3e_proto::api::state::SealedState;

use crate::error::CliError;
use crate::output::Printer;
use crate::session;
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how far the sealed state is, and which epochs' keys it needs
    #[command(after_help = "Example:\n  r3e state show --json")]
    Show,
    /// Begin a new epoch of keys; the records move to it in the background
    #[command(after_help = "\
Refused while records still move to the current epoch: `r3e state show` says how many are left.

Example:
  r3e state rotate")]
    Rotate,
}

pub(crate) async fn run(command: Command, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let mut operator = session::operator(settings).await?;
    match command {
        Command::Show => {
            let state = operator.state().await?;
            printer.result(&state, shown)?;
        }
        Command::Rotate => {
            let state = operator.rotate_state().await?;
            printer.result(&state, |state| {
                format!("epoch {} began; {} records move to it", state.epoch, state.to_reseal)
            })?;
        }
    }
    session::remembered(operator.check_state().await)
}

fn shown(state: &SealedState) -> String {
    let SealedState { sequence, head, root, records, epoch, oldest_epoch, to_reseal, .. } = state;
    let moving = if oldest_epoch < epoch {
        format!(", and {oldest_epoch} until {to_reseal} records have moved")
    } else {
        String::new()
    };
    format!(
        "sequence     {sequence}\nrecords      {records}\nroot         {root}\nhead         {head}\n\
         epoch        {epoch}{moving}\nsealings     {} in this epoch\n\
         next boot    reads {} pages and {} notes since",
        state.sealings, state.checkpoint_pages, state.tail
    )
}
