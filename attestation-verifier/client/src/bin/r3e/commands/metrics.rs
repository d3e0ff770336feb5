//! `r3e metrics`: what the appliance counts, once, or again and again for a Prometheus on this machine.

mod exporter;
mod source;

use std::net::SocketAddr;

use clap::Args;
use serde_json::json;

use self::exporter::Exporter;
use self::source::Source;
use crate::error::CliError;
use crate::output::{Printer, note, text};
use crate::settings::Settings;

const AFTER_HELP: &str = "\
Printed is OpenMetrics text: of the tenant's functions, jobs and feeds (an API key needs the scope invoke); with --operator, totals of
the appliance, without a name of anything of a tenant's. Counters begin anew with the appliance's process. docs/operate.md lists them.

With --listen, the tool stays, keeps one attested channel, opens it anew when it breaks, and answers GET /metrics on this machine. Who
reaches the address reads the metrics: it is a loopback one unless --public says otherwise. Where the appliance cannot be asked, a
scrape is answered with 503, which Prometheus shows as up == 0.

Examples:
  r3e metrics
  r3e metrics --operator --json
  r3e metrics --listen 127.0.0.1:9464

For the last one, in prometheus.yml:

  scrape_configs:
    - job_name: r3e
      scrape_interval: 30s    # within the minute after which the appliance closes a channel that is not used
      static_configs:
        - targets: ['127.0.0.1:9464']";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Metrics {
    /// The totals of the appliance, signed in with the operator's key
    #[arg(long)]
    operator: bool,
    /// Serve them over HTTP at this address until the command is ended; port 0 takes a free one, which is printed
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Listen at an address that others reach, too: whoever does reads the metrics, unencrypted
    #[arg(long, requires = "listen")]
    public: bool,
}

pub(crate) async fn run(command: Metrics, settings: Settings, printer: Printer) -> Result<(), CliError> {
    let Metrics { operator, listen, public } = command;
    let Some(address) = listen else {
        let metrics = Source::new(settings, operator).fetch().await?;
        return if printer.is_json() {
            printer.result(&json!({ "openmetrics": metrics }), |_| String::new())
        } else {
            text(&metrics)
        };
    };
    if !address.ip().is_loopback() && !public {
        return Err(CliError::Usage(format!(
            "{address} is reached from other machines, and whoever reaches it reads the metrics: say --public if that is meant, or \
             listen at 127.0.0.1"
        )));
    }
    if settings.accept_rolled_back {
        return Err(CliError::Usage(
            "--accept-rolled-back is for one connection, and this command makes many: accept the state with another command first"
                .to_owned(),
        ));
    }
    let exporter = Exporter::bind(address, public).await?;
    let mut source = Source::new(settings, operator);
    // What is wrong with the settings, the appliance or the key is said now, and not to the first scrape.
    source.fetch().await?;
    let url = format!("http://{}/metrics", exporter.address()?);
    printer.result(&json!({ "listening": url }), |_| format!("listening on {url}"))?;
    if public {
        note(
            "r3e: WARNING: whoever reaches that address reads the metrics, and they are not encrypted on the way",
        );
    }
    exporter.serve(source).await
}
