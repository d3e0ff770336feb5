//! Prints how long the fake NSM takes to sign a document, directly and behind the Attester.
//!
//! `cargo run -p r3e-fake-nsm --example latency`

use std::sync::Arc;
use std::time::{Duration, Instant};

use r3e_attester::{Attester, AttesterConfig, NsmDriver, Request};
use r3e_fake_nsm::{FakeNsm, FakeNsmConfig, FakeNsmError, Names, TestRoot};

const CALLS: usize = 1000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let direct = nsm(Duration::ZERO)?;
    let times = (0..CALLS).map(|_| {
        let started = Instant::now();
        drop(direct.process(Request::Attestation { user_data: None, nonce: None, public_key: None }));
        started.elapsed()
    });
    report("direct", times.collect());

    for call_latency in [Duration::ZERO, Duration::from_millis(5)] {
        for callers in [1, 32] {
            let attester = Attester::start(nsm(call_latency)?, AttesterConfig::default())?;
            let calls_each = if call_latency.is_zero() { CALLS } else { CALLS / 5 } / callers;
            let started = Instant::now();
            let tasks: Vec<_> =
                (0..callers).map(|_| tokio::spawn(attest(attester.clone(), calls_each))).collect();
            let mut times = Vec::new();
            for task in tasks {
                times.extend(task.await??);
            }
            let rate = f64::from(u32::try_from(times.len())?) / started.elapsed().as_secs_f64();
            report(&format!("{callers} callers, {call_latency:?} a call, {rate:.0}/s"), times);
        }
    }
    Ok(())
}

fn nsm(call_latency: Duration) -> Result<Arc<FakeNsm>, FakeNsmError> {
    let config = FakeNsmConfig { call_latency, ..FakeNsmConfig::default() };
    Ok(Arc::new(FakeNsm::under(TestRoot::generate(Names::test())?, config)?))
}

async fn attest(attester: Attester, calls: usize) -> Result<Vec<Duration>, r3e_attester::AttesterError> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        attester.attest(Some(&[7; 48]), None, None).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or_default();
    println!("{name}: p50 {:?}, p99 {:?}", at(50), at(99));
}
