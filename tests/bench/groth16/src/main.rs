//! Groth16 proofs beside snarkjs, on one machine, in one run, of the same key and the same witness: how long a proof takes from the files on disk, and
//! how long where the key is kept. Each verifies what the other proved. `tests/bench/groth16/run` builds and fetches all it needs.
#![forbid(unsafe_code)]

#[path = "../../../../proto/groth16-prover/tests/circuits/chain.rs"]
mod chain;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Parser;
use r3e_groth16::{Proof, VerificationKey, signals_from_json, verify};
use r3e_groth16_prover::{Made, ProvingKey, R1cs, Witness, prove, setup};
use serde::Deserialize;

use crate::chain::Chain;

/// Groth16 proofs beside snarkjs: fails where one does not verify what the other proved.
#[derive(Debug, Parser)]
struct Settings {
    /// The program for node that proves by snarkjs
    #[arg(long, value_name = "FILE")]
    peer: PathBuf,
    /// Circuits of so many constraints
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_values_t = [1_000, 65_000])]
    constraints: Vec<u32>,
    /// Proofs of each
    #[arg(long, value_name = "N", default_value_t = 5)]
    times: u32,
}

/// What the program for node says.
#[derive(Debug, Deserialize)]
struct Said {
    proved_ms: Vec<f64>,
    ours_hold: bool,
    tampered_hold: bool,
}

fn main() -> anyhow::Result<()> {
    let settings = Settings::parse();
    let threads = std::thread::available_parallelism()?;
    println!("Median of {} proofs, milliseconds; {threads} processors.\n", settings.times);
    println!(
        "| constraints | key, MB | making the keys | what | key read | proof | both | snarkjs / this, both | snarkjs / this proof |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for constraints in &settings.constraints {
        beside(&settings, *constraints, threads)?;
    }
    Ok(())
}

fn beside(settings: &Settings, constraints: u32, threads: NonZeroUsize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let chain = Chain::new(constraints, 2);
    let circuit = R1cs::read(&chain.r1cs())?;
    let begun = Instant::now();
    let made = setup(&circuit, threads)?;
    let setup_ms = milliseconds(begun);
    fs::write(file("key.zkey"), made.to_bytes())?;
    fs::write(file("witness.wtns"), chain.wtns())?;
    fs::write(file("verification_key.json"), made.verification_key())?;
    drop(made);

    let key_mb = fs::metadata(file("key.zkey"))?.len() / 1_000_000;
    let head = format!("| {constraints} | {key_mb} | {setup_ms:.0}");
    let alone = ours(folder.path(), settings.times, NonZeroUsize::MIN)?;
    let all = ours(folder.path(), settings.times, threads)?;
    fs::write(file("ours.json"), &all.made.proof)?;
    fs::write(file("ours-public.json"), serde_json::to_string(&all.made.signals)?)?;
    let peer = by_peer(settings, folder.path())?;
    println!("{head} | snarkjs | | | {peer:.0} | 1 | 1 |");
    for (name, ours) in [("R3E, one thread", alone), ("R3E, all", all)] {
        let both = ours.read_ms + ours.prove_ms;
        println!(
            "{head} | {name} | {:.0} | {:.0} | {both:.0} | {:.2} | {:.2} |",
            ours.read_ms,
            ours.prove_ms,
            peer / both,
            peer / ours.prove_ms
        );
    }
    Ok(())
}

struct Ours {
    read_ms: f64,
    prove_ms: f64,
    made: Made,
}

fn ours(folder: &Path, times: u32, threads: NonZeroUsize) -> anyhow::Result<Ours> {
    let (mut reads, mut proofs, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..times {
        let begun = Instant::now();
        let key = ProvingKey::read(&fs::read(folder.join("key.zkey"))?, threads)?;
        reads.push(milliseconds(begun));
        let begun = Instant::now();
        let witness = Witness::read(&fs::read(folder.join("witness.wtns"))?)?;
        last = Some(prove(&key, &witness, threads)?);
        proofs.push(milliseconds(begun));
    }
    let made = last.context("no proof was asked for")?;
    Ok(Ours { read_ms: median(reads), prove_ms: median(proofs), made })
}

/// What snarkjs takes, once each has verified what the other proved.
fn by_peer(settings: &Settings, folder: &Path) -> anyhow::Result<f64> {
    let output = Command::new("node")
        .arg(&settings.peer)
        .arg(folder)
        .arg(settings.times.to_string())
        .output()
        .context("running node")?;
    ensure!(output.status.success(), "snarkjs: {}", String::from_utf8_lossy(&output.stderr));
    let said: Said = serde_json::from_slice(&output.stdout).context("what snarkjs says")?;
    ensure!(said.ours_hold && !said.tampered_hold, "snarkjs does not verify what we proved: {said:?}");
    let key = VerificationKey::from_json(&fs::read(folder.join("verification_key.json"))?)?;
    let proof = Proof::from_json(&fs::read(folder.join("proof.json"))?)?;
    verify(&key, &signals_from_json(&fs::read(folder.join("public.json"))?)?, &proof)?;
    Ok(median(said.proved_ms))
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
