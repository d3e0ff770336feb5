//! Feeds of an appliance under load: each of a pair of its own, asked of seven exchanges on this machine, with a round every second and a price
//! that moves between two, so that every round has a report, signed for a contract of each kind of chain.
#![forbid(unsafe_code)]

mod counted;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Parser as _;
use r3e_e2e::exchanges::{EXCHANGES, Exchanges};
use r3e_e2e::processes::cpu;
use r3e_e2e::{Appliance, Options, Tenant};
use serde_json::json;
use tokio::time::sleep;

use crate::counted::Counted;

/// After the last feed was made.
const WARM_UP_S: u64 = 5;
/// Between two lines about how it goes.
const PROGRESS_S: u64 = 30;

/// Feeds of the appliance under load.
#[derive(Debug, clap::Parser)]
#[command(
    after_help = "Build the programs first, in the profile that the image has:\n  cargo build --profile image --bins\nExample:\n  target/image/r3e-bench-feeds --feeds 200 --seconds 600"
)]
struct Settings {
    /// Feeds
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=256))]
    feeds: u16,
    /// Seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    let exchanges = Exchanges::start(&price(0)).await;
    let options = Options {
        extra_roots: exchanges.authority().to_owned(),
        resolve: exchanges.resolve_rules(),
        ..Options::default()
    };
    let appliance = Appliance::start(options).await;
    let tenant = Tenant::admitted(&appliance, "bench").await;
    let mut channel = tenant.channel().await;
    for number in 0..settings.feeds {
        let definition = serde_json::from_value(definition(number))?;
        channel.set_feed(&format!("feed-{number}"), &definition).await?;
    }
    let mut moves = 0;
    next_price(&exchanges, &mut moves, WARM_UP_S).await?;

    let before = counted(&appliance, &tenant).await?;
    let (cpu_before, begun) = (cpu(&[appliance.enclave_id()])?, Instant::now());
    let mut left_s = settings.seconds;
    while left_s > 0 {
        let stretch_s = left_s.min(PROGRESS_S);
        next_price(&exchanges, &mut moves, stretch_s).await?;
        left_s -= stretch_s;
        eprintln!("{left_s} s to go");
    }
    let after = counted(&appliance, &tenant).await?;
    let took = begun.elapsed();
    let used = cpu(&[appliance.enclave_id()])?.saturating_sub(cpu_before);

    let found = after.since(&before);
    println!(
        "{} feeds, each of {} exchanges, a round each second, for {:.1} s\n",
        settings.feeds,
        EXCHANGES.len(),
        took.as_secs_f64()
    );
    println!("{found}");
    let reports = found.published();
    println!("reports a second                 {:.1}", reports / took.as_secs_f64());
    println!("cores that the enclave used      {:.2}", used.as_secs_f64() / took.as_secs_f64());
    println!("processor time for a report, ms  {:.2}", used.as_secs_f64() * 1_000.0 / reports);
    Ok(())
}

/// What is counted by now. Sessions in which nothing is said meanwhile do not last as long as a load.
async fn counted(appliance: &Appliance, tenant: &Tenant) -> anyhow::Result<Counted> {
    let operator = appliance.operator().await.open_metrics().await?;
    Counted::read(&operator, &tenant.channel().await.open_metrics().await?)
}

fn definition(number: u16) -> serde_json::Value {
    json!({
        "pair": format!("C{number:03}/USD"),
        "sources": EXCHANGES.map(|(id, ..)| id),
        "interval_ms": 1_000,
        "timeout_ms": 1_000,
        "targets": [
            "eip155:1:0x5fbdb2315678afecb367f032d93f642f64180aa3",
            "neo-n3:860833102:0xd2a4cff31913016155e38e474a2c06d08be276cf",
        ],
        "policy": { "decimals": 2, "deviation_bps": 10, "frozen_rounds": 1_000_000, "heartbeat_ms": 600_000 },
    })
}

/// Moves the price in the middle of each of so many seconds: rounds begin with a second.
async fn next_price(exchanges: &Exchanges, moves: &mut u64, seconds: u64) -> anyhow::Result<()> {
    for _ in 0..seconds {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("a clock before 1970")?;
        let wait_ms = 1 + (1_499 - now.subsec_millis()) % 1_000;
        sleep(Duration::from_millis(wait_ms.into())).await;
        *moves += 1;
        exchanges.all_say(&price(*moves));
    }
    Ok(())
}

/// Up and down, by half a percent.
fn price(moves: u64) -> String {
    (64_000 + 320 * (moves % 2)).to_string()
}
