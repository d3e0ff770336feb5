//! The sealed store side by side with what it could have been, on one disk, records of 1 KiB, all durable:
//!
//! | target | path |
//! |---|---|
//! | sealed store | this process → unix socket → `r3e-parent`, a process of its own → fjall, synced |
//! | fjall | this process → fjall, synced; neither sealed nor rolled back unseen |
//! | SQLite | this process → SQLite in WAL mode with `synchronous=FULL`, one connection behind a lock |
//!
//! `cargo run --release [-- MILLISECONDS ROUNDS]` prints the tables for writes and reads;
//! `cargo run --release -- boot RECORDS...` how long a boot takes with so many.
//! The targets take short turns in each of many rounds, so that whatever else the machine does weighs on all of them;
//! the figures are medians over the rounds. `TMPDIR` says on which disk.
#![forbid(unsafe_code)]

mod boots;
mod sealed;
mod targets;

use std::time::{Duration, Instant};

use targets::{Fjall, Sqlite, Target};

/// Records that are there before anything is measured, and that writers write over: all of them fit the store's memory.
const RECORDS: usize = 10_000;
/// The size of a value.
const RECORD_BYTES: usize = 1024;
/// The reference of the ratios.
const REFERENCE: usize = 1;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["parent", folder] => sealed::run_parent(folder.as_ref()),
        ["boot", records @ ..] => records.iter().try_for_each(|count| boots::measure(count.parse()?)),
        [] => measure(Duration::from_millis(500), 11),
        [turn, rounds] => measure(Duration::from_millis(turn.parse()?), rounds.parse()?),
        other => anyhow::bail!("{other:?}: give nothing, MILLISECONDS ROUNDS, or boot RECORDS..."),
    }
}

/// What is done again and again.
#[derive(Debug, Clone, Copy)]
enum Workload {
    Put { writers: usize },
    Batch { records: usize },
    Get { readers: usize },
}

const WORKLOADS: [(&str, Workload); 5] = [
    ("durable puts/s, 1 writer", Workload::Put { writers: 1 }),
    ("durable puts/s, 64 writers", Workload::Put { writers: 64 }),
    ("durable batches of 100, records/s", Workload::Batch { records: 100 }),
    ("gets/s, 1 reader", Workload::Get { readers: 1 }),
    ("gets/s, 2 readers", Workload::Get { readers: 2 }),
];

fn measure(turn: Duration, rounds: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let targets: [Box<dyn Target>; 3] = [
        Box::new(sealed::Sealed::start(&folder.path().join("sealed"))?),
        Box::new(Fjall::open(&folder.path().join("fjall"))?),
        Box::new(Sqlite::open(&folder.path().join("sqlite"))?),
    ];
    for target in &targets {
        for start in (0..RECORDS).step_by(100) {
            target.batch(start, 100)?;
        }
    }
    let names: Vec<_> = targets.iter().map(|target| target.name()).collect();
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(names.len()));
    for (name, workload) in WORKLOADS {
        let mut rates = vec![Vec::new(); targets.len()];
        for round in 0..=rounds {
            for (target, rates) in targets.iter().zip(&mut rates) {
                let rate = run(&**target, workload, turn)?;
                // The first round warms up.
                if round > 0 {
                    rates.push(rate);
                }
            }
        }
        print!("| {name} |");
        for of_target in &rates {
            let ratios = of_target.iter().zip(&rates[REFERENCE]).map(|(rate, reference)| rate / reference);
            print!(" {:.0} ({:.2}) |", median(of_target.clone()), median(ratios.collect()));
        }
        println!();
    }
    println!("\nIn brackets: the ratio to {}, round by round.", names[REFERENCE]);
    Ok(())
}

/// How many a second.
fn run(target: &dyn Target, workload: Workload, turn: Duration) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let done = match workload {
        Workload::Put { writers } => target.puts(writers, turn)?,
        Workload::Get { readers } => target.gets(readers, turn)?,
        Workload::Batch { records } => {
            let mut done = 0;
            while begun.elapsed() < turn {
                target.batch(done * 7, records)?;
                done += records;
            }
            done
        }
    };
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The key of the nth record.
fn key(index: usize) -> String {
    format!("record {}", index % RECORDS)
}
