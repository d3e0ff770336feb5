//! `r3e deploy`: a folder, or a zip of one, with its `r3e.toml`.

mod declared;

use std::path::PathBuf;

use clap::Args;
use r3e_client::ClientError;
use r3e_client::project::Project;
use r3e_proto::api::codes;
use r3e_proto::api::functions::Permissions;

use self::declared::Changes;
use super::functions::{PromotionArguments, human};
use crate::error::CliError;
use crate::output::{Printer, note, printable};
use crate::session;
use crate::settings::Settings;

pub(crate) const HELP: &str = "\
r3e.toml, at the root of the folder:

  name = \"price-alert\"
  runtime = \"typescript\"             # or \"javascript\", \"wasm\", \"python\", \"csharp\"
  entry = \"src/main.ts\"
  exclude = [\"test\"]                 # files and folders that stay here

  [permissions]
  secrets = [\"VENUE_API_KEY\"]
  net = [\"venue.example\"]

  [[triggers]]                       # see docs/triggers.md
  name = \"hourly\"
  cron = { schedule = \"0 * * * *\", time_zone = \"Europe/Berlin\" }

Every .js, .mjs and .json file, and for TypeScript every .ts and .mts file, is sent, but for those in node_modules, those
whose name begins with a dot, and those that `exclude` names; of csharp, every .cs file; of wasm and python, the entry alone. Symbolic links are refused.

What the function may reach is shown before anything is sent; `+` marks what it may not reach today. Its triggers are
made, changed, and removed where r3e.toml declares them no more; each is named with `+`, `~` or `-`.

Examples:
  r3e deploy examples/basket
  r3e deploy basket.zip --alias staging";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Deploy {
    /// The folder, or a zip of one
    #[arg(default_value = ".", value_name = "DIR|ZIP")]
    path: PathBuf,
    #[command(flatten)]
    promotion: PromotionArguments,
}

pub(crate) async fn run(command: Deploy, settings: &Settings, printer: Printer) -> Result<(), CliError> {
    let Project { name, deploy, triggers, left_out } = Project::read(&command.path)?;
    let mut tenant = session::tenant(settings).await?;
    let today = match tenant.function(&name).await {
        Ok(function) => function.permissions,
        Err(ClientError::Api { code, .. }) if code == codes::NOT_FOUND => Permissions::default(),
        Err(error) => return Err(error.into()),
    };
    let bytes = deploy.source.len() + deploy.modules.values().map(String::len).sum::<usize>();
    note(&format!(
        "deploying {name}: {} modules of {}, {bytes} bytes, entry {}; {} other files stay here\n{}",
        deploy.modules.len().max(1),
        deploy.runtime.name(),
        deploy.entry.as_deref().unwrap_or("itself"),
        left_out.len(),
        reach(&today, &deploy.permissions)
    ));
    let changes = Changes::of(&name, triggers, &tenant.triggers().await?);
    for line in changes.lines() {
        note(&line);
    }
    let promotion = command.promotion.settled(&mut tenant, &name).await?;
    let function = tenant.deploy_as(&name, &deploy, &promotion).await?;
    // After the function, which they invoke.
    changes.apply(&mut tenant).await?;
    printer.result(&function, |function| format!("deployed {}\n\n{}", function.name, human(function)))?;
    session::remembered(tenant.check_state().await)
}

/// What it may reach, a line each; `+` before what is new, `-` before what goes.
fn reach(today: &Permissions, wanted: &Permissions) -> String {
    let mut lines = Vec::new();
    let of = |may: &Permissions| if may.triggers { vec!["of its own".to_owned()] } else { Vec::new() };
    for (kind, today, wanted) in [
        ("secret", &today.secrets, &wanted.secrets),
        ("host", &today.net, &wanted.net),
        ("topic", &today.publish, &wanted.publish),
        ("sets secret", &today.set_secrets, &wanted.set_secrets),
        ("triggers", &of(today), &of(wanted)),
        ("network", &today.networks, &wanted.networks),
        ("wallet", &today.wallets, &wanted.wallets),
    ] {
        let line = |sign: &str, name: &str| format!("  {sign} {kind} {}", printable(name));
        lines.extend(wanted.iter().map(|name| line(if today.contains(name) { " " } else { "+" }, name)));
        lines.extend(today.iter().filter(|name| !wanted.contains(name)).map(|name| line("-", name)));
    }
    if lines.is_empty() { "  it may reach no secret and no host".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_and_what_goes_is_marked() {
        let of = |secrets: &[&str], net: &[&str]| Permissions {
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
            net: net.iter().map(|name| (*name).to_owned()).collect(),
            ..Permissions::default()
        };
        assert_eq!(
            reach(&of(&["A", "B"], &[]), &of(&["B", "C"], &["a.test"])),
            "    secret B\n  + secret C\n  - secret A\n  + host a.test"
        );
        let publishing = Permissions { publish: vec!["order.paid".to_owned()], ..Permissions::default() };
        assert_eq!(reach(&of(&[], &[]), &publishing), "  + topic order.paid");
        let changing =
            Permissions { set_secrets: vec!["A".to_owned()], triggers: true, ..Permissions::default() };
        assert_eq!(reach(&of(&[], &[]), &changing), "  + sets secret A\n  + triggers of its own");
        let reading = Permissions { networks: vec!["eip155:1".to_owned()], ..Permissions::default() };
        assert_eq!(reach(&of(&[], &[]), &reading), "  + network eip155:1");
        assert_eq!(reach(&of(&[], &[]), &of(&[], &[])), "  it may reach no secret and no host");
    }
}
