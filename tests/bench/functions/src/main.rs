//! Functions of the appliance beside other runtimes, on one machine, in one run: how long the first answer takes, how many
//! come a second, and what a function holds that nobody calls. `tests/bench/functions/run` builds and fetches all it needs.
#![forbid(unsafe_code)]

mod load;
mod measured;
mod ours;
mod peers;
mod processes;
mod settings;

use clap::Parser as _;

use crate::measured::Table;
use crate::ours::{Ours, Pool};
use crate::peers::{Kind, Peer};
use crate::settings::Settings;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    let kinds = Kind::found_in(&settings.peers);
    if kinds.is_empty() {
        eprintln!("{} holds no other runtime: the appliance stands alone", settings.peers.display());
    }

    println!("## The first answer of a function that was not called before\n");
    let mut table = Table::new(["runtime", "from", "median ms", "lowest ms"]);
    for kind in &kinds {
        let times = Peer::first_answers(*kind, &settings).await?;
        table.row(&[
            kind.name().to_owned(),
            "start of its process".to_owned(),
            times.median(),
            times.lowest(),
        ]);
    }
    let times = Pool::start(&settings)?.first_answers(settings.starts).await?;
    table.row(&[
        "R3E".to_owned(),
        "a waiting process, the function loaded".to_owned(),
        times.median(),
        times.lowest(),
    ]);
    println!("{table}");

    println!("## Requests to a function that is loaded\n");
    let mut table = Table::new([
        "runtime",
        "clients",
        "per second",
        "p50 ms",
        "p99 ms",
        "cores of the server",
        "per second and core",
    ]);
    for clients in settings::CLIENTS {
        for kind in &kinds {
            let peer = Peer::start(*kind, 1, &settings).await?;
            let load = peer.load(clients, settings.span()).await?;
            table.row(&load.cells(kind.name(), clients));
        }
        for reuse in [false, true] {
            let pool = Pool::start(&settings)?;
            let load = pool.load(reuse, clients, settings.span()).await?;
            table.row(
                &load
                    .cells(if reuse { "R3E, pool alone, reused" } else { "R3E, pool alone, fresh" }, clients),
            );
        }
        let ours = Ours::start().await?;
        for reuse in [false, true] {
            let load = ours.load(reuse, clients, settings.span()).await?;
            table.row(
                &load.cells(if reuse { "R3E, attested, reused" } else { "R3E, attested, fresh" }, clients),
            );
        }
    }
    println!("{table}");

    println!("## Functions that nobody calls\n");
    let mut table = Table::new(["runtime", "functions", "processes", "MiB (Pss)", "KiB a function"]);
    for kind in &kinds {
        let count = kind.idle(&settings);
        let peer = Peer::start(*kind, count, &settings).await?;
        table.row(&peer.idle().await?.cells(kind.name(), count));
    }
    let held = Pool::start(&settings)?.idle(settings.functions).await?;
    table.row(&held.cells("R3E", settings.functions));
    println!("{table}");
    Ok(())
}
