//! What the attested channel costs, beside what it is built on, in one run:
//!
//! - plain TLS 1.3 handshakes by rustls, same key exchange and certificate, over the same kind of socket;
//! - attested handshakes, with an attestation device that is serial and takes 5 ms a call: 200 calls a second;
//! - warm invocations of a JavaScript function through the channel, receipt verified, without a secret and with one, where a
//!   runner is given.
//!
//! `cargo run --release --manifest-path tests/bench/channel/Cargo.toml [-- SECONDS [RUNNER]]`
#![forbid(unsafe_code)]

mod appliance;
mod plain;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use appliance::{Appliance, FUNCTIONS};
use plain::Plain;
use tokio::task::JoinSet;

const CLIENTS: [usize; 2] = [1, 32];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse()).context("SECONDS is a number")?;
    let span = Duration::from_secs(seconds);
    let plain = Arc::new(Plain::start().await?);
    let appliance = Arc::new(Appliance::start(arguments.next().map(PathBuf::from)).await?);

    println!("| handshake | clients | per second | p50 ms | p99 ms | device calls a second |");
    println!("|---|---|---|---|---|---|");
    for clients in CLIENTS {
        let server = Arc::clone(&plain);
        let base = measure(clients, span, move || {
            let server = Arc::clone(&server);
            async move { server.handshake().await }
        })
        .await?;
        base.print("plain TLS 1.3", clients, "–");
        let before = appliance.device_calls();
        let server = Arc::clone(&appliance);
        let attested = measure(clients, span, move || {
            let server = Arc::clone(&server);
            async move { server.handshake().await }
        })
        .await?;
        let calls = (appliance.device_calls() - before) as f64 / attested.wall.as_secs_f64();
        attested.print("attested", clients, &format!("{calls:.0}"));
        println!("| ratio | {clients} | {:.2} | | | |", attested.rate() / base.rate());
    }
    if let Some(invoker) = appliance.invoker().await? {
        println!("\n| warm invocations, receipt verified | clients | per second | p50 ms | p99 ms |");
        println!("|---|---|---|---|---|");
        for (function, name) in FUNCTIONS {
            for clients in CLIENTS {
                let measured = invoker.measure(function, clients, span).await?;
                measured.print_short(name, clients);
            }
        }
    }
    Ok(())
}

/// What one load gave.
pub(crate) struct Measured {
    pub(crate) latencies: Vec<Duration>,
    pub(crate) wall: Duration,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.wall.as_secs_f64()
    }

    fn quantile_ms(&self, q: f64) -> f64 {
        let at = ((self.latencies.len() - 1) as f64 * q).round() as usize;
        self.latencies[at].as_secs_f64() * 1e3
    }

    fn print(&self, name: &str, clients: usize, calls: &str) {
        let (p50, p99) = (self.quantile_ms(0.5), self.quantile_ms(0.99));
        println!("| {name} | {clients} | {:.0} | {p50:.2} | {p99:.2} | {calls} |", self.rate());
    }

    fn print_short(&self, name: &str, clients: usize) {
        let (p50, p99) = (self.quantile_ms(0.5), self.quantile_ms(0.99));
        println!("| {name} | {clients} | {:.0} | {p50:.2} | {p99:.2} |", self.rate());
    }
}

/// Runs `one` from `clients` tasks, each in a loop, for `span`.
async fn measure<F, T>(clients: usize, span: Duration, one: F) -> anyhow::Result<Measured>
where
    F: Fn() -> T + Clone + Send + Sync + 'static,
    T: Future<Output = anyhow::Result<()>> + Send,
{
    one().await.context("warm-up")?;
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let one = one.clone();
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while started.elapsed() < span {
                let begun = Instant::now();
                one().await?;
                latencies.push(begun.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    collect(tasks, started).await
}

pub(crate) async fn collect(
    mut tasks: JoinSet<anyhow::Result<Vec<Duration>>>,
    started: Instant,
) -> anyhow::Result<Measured> {
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    latencies.sort_unstable();
    Ok(Measured { latencies, wall: started.elapsed() })
}
